from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.bundle.delegates import xnnpack


@pytest.mark.parametrize(
    ("name", "op"),
    [("softmax_int8", "SOFTMAX"), ("pooled_int8", "AVERAGE_POOL_2D"), ("cumsum", "CUMSUM")],
)
def test_operation_left_to_litert_is_named(nets: Path, name: str, op: str) -> None:
    outlook = xnnpack.outlook(nets / f"{name}.tflite", "tflite")
    assert [each.op for each in outlook.left] == [op]
    assert outlook.ops_taken == outlook.ops_total - 1
    assert outlook.kind == "measured"
    assert outlook.facts == {"parts": 2.0}


def test_takes_a_network_whole(nets: Path) -> None:
    outlook = xnnpack.outlook(nets / "relu_int8.tflite", "tflite")
    assert (outlook.left, outlook.mac_share, outlook.facts) == ((), 1.0, {"parts": 1.0})
