from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import onnxruntime as python
from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.core.tensors import quantize
from tests.backends import tiny
from tests.backends.pages import loaded

backend = loaded("onnxruntime_web")
pytestmark = pytest.mark.chromium


def test_scales_are_read_from_the_file(artifacts: Path) -> None:
    with backend.open_session(artifacts / "uint8.onnx", "cpu", 1) as session:
        assert session.input.quantization == Quantization((tiny.IN_SCALE,), (tiny.IN_POINT,))
        assert session.output.quantization == Quantization((tiny.OUT_SCALE,), (tiny.OUT_POINT,))


def test_integer_outputs_are_those_of_python(artifacts: Path) -> None:
    path, images = artifacts / "uint8.onnx", tiny.pixels(20)
    outputs = []
    for module in (python, backend):
        with module.open_session(path, "cpu", 1) as session:
            outputs.append(
                np.concatenate([session.run(quantize(one[None], session.input)) for one in images])
            )
    assert len(np.unique(outputs[0])) > 20
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_threads_change_no_number(artifacts: Path) -> None:
    images = tiny.pixels(5).astype(np.float32)
    with (
        backend.open_session(artifacts / "fixed.onnx", "cpu", 1) as one,
        backend.open_session(artifacts / "fixed.onnx", "cpu", 2) as two,
    ):
        for image in images[:, None]:
            np.testing.assert_array_equal(one.run(image), two.run(image))


def test_its_clock_times_every_call(artifacts: Path) -> None:
    image = np.ones((1, *tiny.SHAPE), np.float32)
    with backend.open_session(artifacts / "fixed.onnx", "cpu", 1) as session:
        before = session.run(image)
        times = session.timed(image, 7)
        assert len(times) == 7
        assert all(isinstance(one, float) and one > 0 for one in times)
        np.testing.assert_array_equal(session.run(image), before)
        with pytest.raises(ArtifactError, match="'image' takes"):
            session.timed(image[..., 0], 1)


def test_what_webgpu_cannot_take_whole_does_not_go_to_webassembly(artifacts: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="opens on cpu and not on gpu|no adapter") as caught,
        backend.open_session(artifacts / "uint8.onnx", "gpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)
