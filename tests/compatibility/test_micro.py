"""The oldest TensorFlow Lite Micro for a file."""

from __future__ import annotations

from tests.compatibility.tflite_models import TYPE, dense, on_three_axes, one, state_of


def test_micro() -> None:
    assert state_of(dense(TYPE.INT8, TYPE.INT8, 1)) == ("at least", "2021-04-09")
    assert state_of(dense(TYPE.INT8, TYPE.INT8, 4)) == ("at least", "2024-09-27")
    assert state_of(dense(TYPE.FLOAT32, TYPE.INT8, 1)) == ("never", "")
    assert state_of(on_three_axes(TYPE.INT8, 1)) == ("at least", "2022-04-06")
    assert state_of(on_three_axes(TYPE.INT16, 1)) == ("at least", "2022-05-11")
    assert state_of(one("DEQUANTIZE", TYPE.FLOAT16)) == ("never", "")
    assert state_of(one("GELU", TYPE.FLOAT32)) == ("never", "")
    assert state_of(one("SLICE", TYPE.INT8)) == ("at least", "2021-10-25")
