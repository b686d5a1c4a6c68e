from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import litert as python
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.core.tensors import quantize
from tests.backends import tiny
from tests.backends.pages import loaded

backend = loaded("litert_js")
pytestmark = pytest.mark.chromium


def test_integer_outputs_and_their_scale_are_those_of_python(artifacts: Path) -> None:
    path, images = artifacts / "uint8.tflite", tiny.pixels(50)
    outputs, ends = [], []
    for module in (python, backend):
        with module.open_session(path, "cpu", 1) as session:
            ends.append((session.input, session.output))
            outputs.append(
                np.concatenate([session.run(quantize(one[None], session.input)) for one in images])
            )
    assert ends[0] == ends[1]
    assert ends[1][0].quantization is not None
    assert len(np.unique(outputs[0])) > 20
    np.testing.assert_array_equal(outputs[0], outputs[1])  # both are XNNPACK


@pytest.mark.parametrize(
    ("file", "words"), [("int8.tflite", "convert with --io"), ("dynamic.tflite", "without --dynamic-batch")]
)
def test_what_it_does_not_open_is_told_how_to_convert(artifacts: Path, file: str, words: str) -> None:
    with (
        pytest.raises(ArtifactError, match=words) as caught,
        backend.open_session(artifacts / file, "cpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_integer_ends_are_refused_on_webgpu(artifacts: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="float32 alone on gpu|no adapter"),
        backend.open_session(artifacts / "uint8.tflite", "gpu", 1),
    ):
        pass


def test_its_clock_times_every_call(artifacts: Path) -> None:
    image = np.ones((1, *tiny.SHAPE), np.float32)
    with backend.open_session(artifacts / "fixed.tflite", "cpu", 2) as session:
        before = session.run(image)
        times = session.timed(image, 7)
        assert len(times) == 7
        assert all(isinstance(one, float) and one > 0 for one in times)
        np.testing.assert_array_equal(session.run(image), before)
