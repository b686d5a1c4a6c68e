"""Tests of benchmarking.limits: where a row has a limit."""

from __future__ import annotations

import pytest

from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.limits import Limits
from resnet_edge.core.roofline import Work, roofline
from tests.report.benches import CEILINGS

WORK = Work(31_000_000, 0, 1_090_000)


def target(path: str, format: str = "onnx") -> LatencyTarget:
    return LatencyTarget(
        path=path, file="net", format=format, scheme="fp32", backend="onnxruntime", device="cpu"
    )


def test_a_limit_is_of_the_processor_alone() -> None:
    limits = Limits(CEILINGS, {"a.onnx": WORK})
    assert limits.of(target("a.onnx"), "cpu", 1, 2.0) == roofline(WORK, CEILINGS, 1, 2.0)
    assert limits.of(target("a.onnx"), "gpu", 1, 2.0) is None


@pytest.mark.parametrize(
    "limits", [Limits(None, {"a.onnx": WORK}), Limits(CEILINGS, {}), Limits(CEILINGS, {"b.onnx": WORK})]
)
def test_what_is_not_known_is_no_limit(limits: Limits) -> None:
    assert limits.of(target("a.onnx"), "cpu", 1, 2.0) is None
