"""Tests of compression.pruning: what a target and rules may be."""

from __future__ import annotations

import pytest

from resnet_edge.compression.pruning import PruningTarget, Rules
from resnet_edge.core.errors import UsageError


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 50.0, float("nan")])
def test_a_share_outside_of_0_to_1_is_a_wrong_use(share: float) -> None:
    with pytest.raises(UsageError, match="give a share between 0 and 1"):
        PruningTarget("macs", share)


def test_other_rules_out_of_range_are_a_wrong_use() -> None:
    with pytest.raises(UsageError, match="multiples of 0"):
        Rules(multiple=0)
    with pytest.raises(UsageError, match="removed at most"):
        Rules(max_removed=1.0)
