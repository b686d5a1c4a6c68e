"""The learning rate of a training for int8 that nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from resnet_edge.compression.qat_task import RATE, rate_after
from resnet_edge.core.sidecar import State, Step


def step(details: dict[str, Any], name: str = "train") -> Step:
    state = State(sha256="0" * 64, parameters=1, macs=1, file_bytes=1, gzip_bytes=1)
    return Step(step=name, title="", command="", resnet_edge="0", after=state, before=None, details=details)


def trained(rate: Any) -> Step:
    return step({"recipe": {"learning_rate": rate}})


@pytest.mark.parametrize(
    ("steps", "rate"),
    [
        ([trained(0.1)], 0.001),
        ([trained(0.1), trained(0.01)], 0.0001),
        ([trained(0.1), step({"method": "magnitude"})], 0.001),  # nothing was trained in the last
        ([], RATE),
        ([step({})], RATE),
        ([trained("fast")], RATE),
        ([trained(0)], RATE),
        ([trained(True)], RATE),
        ([trained(math.nan)], RATE),
        ([trained(math.inf)], RATE),
        ([trained(10**400)], RATE),
        ([step({"recipe": None})], RATE),
        ([step({"recipe": "fast"})], RATE),
        ([step({"recipe": [0.1]})], RATE),
        ([trained(0.1), step({"recipe": "fast"})], 0.001),
        ([trained(0.1), step({"recipe": {"learning_rate": 0.001}}, "qat")], 0.001),
    ],
)
def test_it_is_a_hundredth_of_the_last(steps: Sequence[Step], rate: float) -> None:
    assert rate_after(steps) == pytest.approx(rate)
