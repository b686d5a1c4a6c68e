from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import onnxruntime as python
from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.tensors import quantize
from tests.backends import tiny
from tests.backends.pages import loaded, started

backend = loaded("onnxruntime_node")


@pytest.mark.parametrize("file", ["fixed", "uint8"])
def test_its_numbers_are_those_of_python(artifacts: Path, file: str) -> None:
    path, images = artifacts / f"{file}.onnx", tiny.pixels(20)
    outputs = []
    for module in (python, backend):
        with module.open_session(path, "cpu", 1) as session:
            rows = [session.run(quantize(one[None], session.input)) for one in images]
            outputs.append(np.concatenate(rows))
    assert len(np.unique(outputs[0])) > 20
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_scales_are_read_from_the_file(artifacts: Path) -> None:
    with backend.open_session(artifacts / "uint8.onnx", "cpu", 1) as session:
        assert session.input.quantization == Quantization((tiny.IN_SCALE,), (tiny.IN_POINT,))
        assert session.output.quantization == Quantization((tiny.OUT_SCALE,), (tiny.OUT_POINT,))


def test_a_process_that_is_killed_is_one_line(artifacts: Path) -> None:
    image = tiny.pixels(1).astype(np.float32)
    with backend.open_session(artifacts / "fixed.onnx", "cpu", 1) as session:
        os.kill(started("onnxruntime_node.mjs")[0], signal.SIGKILL)
        with pytest.raises(ArtifactError, match="onnxruntime-node was ended by SIGKILL") as caught:
            session.run(image)
    assert "\n" not in str(caught.value)
    assert not started("onnxruntime_node.mjs")


def test_many_images_pass_through_the_pipe(artifacts: Path) -> None:
    images = tiny.pixels(3000).astype(np.float32)  # 768 kB, more than a pipe holds
    with (
        backend.open_session(artifacts / "dynamic.onnx", "cpu", 1) as node,
        python.open_session(artifacts / "dynamic.onnx", "cpu", 1) as session,
    ):
        np.testing.assert_array_equal(node.run(images), session.run(images))
