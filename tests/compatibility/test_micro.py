"""The oldest TensorFlow Lite Micro for a file."""

from __future__ import annotations

from tests.compatibility.tflite_models import TYPE, dense, on_three_axes, one, told


def test_micro() -> None:
    assert told(dense(TYPE.INT8, TYPE.INT8, 1)) == ("at least", "2021-04-09")
    assert told(dense(TYPE.INT8, TYPE.INT8, 4)) == ("at least", "2024-09-27")
    assert told(dense(TYPE.FLOAT32, TYPE.INT8, 1)) == ("never", "")
    assert told(on_three_axes(TYPE.INT8, 1)) == ("at least", "2022-04-06")
    assert told(on_three_axes(TYPE.INT16, 1)) == ("at least", "2022-05-11")
    assert told(one("DEQUANTIZE", TYPE.FLOAT16)) == ("never", "")
    assert told(one("GELU", TYPE.FLOAT32)) == ("never", "")
    assert told(one("SLICE", TYPE.INT8)) == ("at least", "2021-10-25")
