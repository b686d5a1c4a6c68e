"""evaluation/scheduler.py: the parts in which images are run."""

from __future__ import annotations

from itertools import pairwise

import pytest

from resnet_edge.evaluation.scheduler import spans


@pytest.mark.parametrize("size", [None, 1, 7, 500])
def test_parts_cover_all_images_once(size: int | None) -> None:
    parts = spans((30, 60, 100), size)
    assert (parts[0][0], parts[-1][1]) == (0, 100)
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert size is None or max(stop - start for start, stop in parts) <= size


def test_parts_before_a_cut_stay_the_same_whatever_follows() -> None:
    assert spans((1242, 2484), 500)[:3] == spans((1242,), 500) == [(0, 500), (500, 1000), (1000, 1242)]
