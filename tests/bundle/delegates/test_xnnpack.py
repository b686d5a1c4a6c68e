from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.bundle.delegates import xnnpack


@pytest.mark.parametrize(
    ("name", "op"),
    [("softmax_int8", "SOFTMAX"), ("pooled_int8", "AVERAGE_POOL_2D"), ("cumsum", "CUMSUM")],
)
def test_operation_left_to_litert_is_named(nets: Path, name: str, op: str) -> None:
    found = xnnpack.outlook(nets / f"{name}.tflite", "tflite")
    assert [each.op for each in found.left] == [op]
    assert found.ops_taken == found.ops_total - 1
    assert found.kind == "measured"
    assert found.facts == {"parts": 2.0}


def test_takes_a_network_whole(nets: Path) -> None:
    found = xnnpack.outlook(nets / "relu_int8.tflite", "tflite")
    assert (found.left, found.mac_share, found.facts) == ((), 1.0, {"parts": 1.0})
