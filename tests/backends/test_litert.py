from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import litert
from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.core.tensors import dequantize, quantize
from tests.backends import tiny


def test_int8_ends_carry_their_scale(artifacts: Path) -> None:
    with litert.open_session(artifacts / "int8.tflite", "cpu", 1) as session:
        assert session.input.dtype == session.output.dtype == "int8"
        assert session.input.quantization is not None
        assert session.input.quantization.zero_point == (-128,)
        assert np.isclose(session.input.quantization.scale[0], tiny.pixels(50).max() / 255, rtol=1e-3)
        assert session.output.quantization is not None
        assert session.output.quantization.axis is None


def test_int8_and_uint8_files_give_the_same_numbers(artifacts: Path) -> None:
    images = tiny.pixels(50)
    outputs = []
    for dtype in ("int8", "uint8"):
        with litert.open_session(artifacts / f"{dtype}.tflite", "cpu", 1) as session:
            runs = [session.run(quantize(image[None], session.input)) for image in images]
            outputs.append(dequantize(np.concatenate(runs), session.output))
    assert len(np.unique(outputs[0])) > 20
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_names_are_those_of_the_signature(artifacts: Path) -> None:
    with litert.open_session(artifacts / "fixed.tflite", "cpu", 1) as session:
        assert (session.input.name, session.output.name) == ("image", "logits")


def test_device_that_litert_lacks_is_refused_with_the_reason(artifacts: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="'npu' .*vendor.*choose from: cpu, gpu"),
        litert.open_session(artifacts / "fixed.tflite", "npu", 1),
    ):
        pass


def test_operators_are_profiled_on_the_cpu_alone(artifacts: Path) -> None:
    image = np.zeros((1, *tiny.SHAPE), np.float32)
    with pytest.raises(DeviceUnavailable, match="on the cpu only"):
        litert.profile(artifacts / "fixed.tflite", "gpu", 1, image, 1)
