"""OpenVINO on files of both formats; what all backends promise is in tests/contracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import litert
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.core.tensors import dequantize, quantize
from tests.backends import tiny

openvino = pytest.importorskip("resnet_edge.backends.openvino", reason="openvino is not installed")


@pytest.mark.parametrize("file", ["fixed.onnx", "fixed.tflite", "dynamic.tflite"])
def test_both_formats_give_the_networks_logits(artifacts: Path, file: str) -> None:
    images = tiny.pixels(3).astype(np.float32)
    with openvino.open_session(artifacts / file, "cpu", 1) as session:
        got = np.concatenate([session.run(image[None]) for image in images])
    # bfloat16, which it would choose by itself where the processor has it, is 1e-2 off
    assert np.abs(got - tiny.logits(images)).max() < 1e-5 * np.abs(got).max()


def test_an_integer_tflite_file_gives_what_litert_gives(artifacts: Path) -> None:
    images = tiny.pixels(50)[:20]
    outputs = []
    for backend in (openvino, litert):
        with backend.open_session(artifacts / "int8.tflite", "cpu", 1) as session:
            assert session.output.quantization is not None
            runs = [session.run(quantize(image[None], session.input)) for image in images]
            outputs.append(dequantize(np.concatenate(runs), session.output))
            step = session.output.quantization.scale[0]
    # Measured: 8 steps on a processor without VNNI, where its sums overflow, too (openvino#25342).
    assert np.abs(outputs[0] - outputs[1]).max() <= 8.01 * step


def test_a_gpu_that_is_not_there_is_said(artifacts: Path) -> None:
    if "GPU" in openvino.ov.Core().available_devices:
        pytest.skip("OpenVINO has a GPU here")
    with (
        pytest.raises(DeviceUnavailable, match="no GPU here"),
        openvino.open_session(artifacts / "fixed.onnx", "gpu", 1),
    ):
        pass


def test_what_it_does_not_open_is_told_in_its_words(artifacts: Path) -> None:
    with (
        pytest.raises(ArtifactError, match="cannot be opened by OpenVINO"),
        openvino.open_session(artifacts / "truncated.onnx", "cpu", 1),
    ):
        pass
