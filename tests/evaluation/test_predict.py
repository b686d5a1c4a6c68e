from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError, DeviceUnavailable, UnknownName
from resnet_edge.evaluation.predict import predict, stored
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.workers.progress import Progress, silent
from tests.backends import tiny

BACKENDS = {"tflite": "litert", "onnx": "onnxruntime"}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture
def images(tmp_path: Path) -> NDArray[np.uint8]:
    """150 images, which images.npy in tmp_path holds: more than two full batches."""
    pixels = tiny.pixels(150)
    np.save(tmp_path / "images.npy", pixels)
    return pixels


def request_for(artifact: Path, folder: Path) -> Predict:
    suffix = artifact.suffix[1:]
    return Predict(
        path=str(artifact),
        format=suffix,
        backend=BACKENDS[suffix],
        device="cpu",
        threads=1,
        images=str(folder / "images.npy"),
        out=str(folder / "outputs.npy"),
    )


@pytest.mark.parametrize("file", ["fixed.tflite", "dynamic.tflite", "fixed.onnx", "dynamic.onnx"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_outputs_are_the_networks_image_by_image(
    artifacts: Path, images: NDArray[np.uint8], tmp_path: Path, file: str, dtype: type
) -> None:
    np.save(tmp_path / "images.npy", images.astype(dtype))
    result = predict(request_for(artifacts / file, tmp_path), silent)
    outputs = np.load(result.out)
    assert (result.n, result.classes, result.device, result.input_dtype) == (150, 5, "cpu", "float32")
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, tiny.logits(images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("file", ["int8.tflite", "uint8.tflite", "uint8.onnx"])
def test_quantized_outputs_come_back_as_real_numbers(artifacts: Path, tmp_path: Path, file: str) -> None:
    pixels = tiny.pixels(50)
    np.save(tmp_path / "images.npy", pixels)
    result = predict(request_for(artifacts / file, tmp_path), silent)
    outputs = np.load(result.out)
    truth = tiny.logits(pixels)
    assert result.input_dtype in ("int8", "uint8")
    assert np.abs(outputs - truth).max() < 0.08 * np.ptp(truth)


def test_progress_ends_at_its_total(artifacts: Path, images: NDArray[np.uint8], tmp_path: Path) -> None:
    progress: list[Progress] = []
    predict(request_for(artifacts / "fixed.onnx", tmp_path), progress.append)
    assert (progress[0].done, progress[-1].done, progress[-1].total) == (0, len(images), len(images))
    assert progress[-1].step == "fixed.onnx on onnxruntime"


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 9, 9, 1), np.uint8), "the images are 9x9x1, and the artifact takes 8x8x1"),
        (np.zeros((8, 8, 1), np.uint8), "images are uint8 or float32"),
        (np.zeros((3, 8, 8, 1), np.float64), "images are uint8 or float32"),
        (np.zeros((0, 8, 8, 1), np.uint8), "holds no image"),
    ],
    ids=["size", "rank", "dtype", "none"],
)
def test_images_that_do_not_fit_are_refused(
    artifacts: Path, tmp_path: Path, array: NDArray[Any], words: str
) -> None:
    np.save(tmp_path / "images.npy", array)
    with pytest.raises(DataError, match=words):
        predict(request_for(artifacts / "fixed.onnx", tmp_path), silent)


def test_what_is_not_there_is_not_replaced(
    artifacts: Path, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    request = request_for(artifacts / "fixed.tflite", tmp_path)
    with pytest.raises(DeviceUnavailable):
        predict(replace(request, device="cuda"), silent)
    with pytest.raises(UnknownName, match="choose from: .*litert"):
        predict(replace(request, backend="lite"), silent)
    with pytest.raises(ArtifactError, match="onnxruntime opens onnx and not tflite"):
        predict(replace(request, backend="onnxruntime"), silent)
    with pytest.raises(DataError, match="cannot be read"):
        predict(replace(request, images=str(tmp_path / "none.npy")), silent)
    assert not (tmp_path / "outputs.npy").exists()


class TestStored:
    def test_a_scale_is_used_and_not_assumed(self) -> None:
        spec = TensorSpec("image", (1, 1, 1, 3), "uint8", Quantization((2.0,), (10,)))
        assert stored(np.array([[[[0, 100, 255]]]], np.uint8), spec).ravel().tolist() == [10, 60, 138]

    def test_pixels_without_a_scale_are_themselves(self) -> None:
        spec = TensorSpec("image", (1, 1, 1, 3), "uint8")
        pixels = np.array([[[[0, 100, 255]]]], np.uint8)
        assert np.array_equal(stored(pixels, spec), pixels)

    def test_floats_into_integers_without_a_scale_are_refused(self) -> None:
        spec = TensorSpec("image", (1, 1, 1, 1), "uint8")
        with pytest.raises(DataError, match="takes uint8 pixels, and the images are float32"):
            stored(np.zeros((1, 1, 1, 1), np.float32), spec)


def test_channels_first_in_float16(images: NDArray[np.uint8], tmp_path: Path) -> None:
    """As PyTorch exports a model in half precision; a mean of pixels has one rounding."""
    count, height, width, channels = images.shape
    path = tmp_path / "halves.onnx"
    ends = [("image", ["n", channels, height, width]), ("scores", ["n", channels])]
    image, scores = (helper.make_tensor_value_info(n, TensorProto.FLOAT16, shape) for n, shape in ends)
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["scores"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "halves", [image], [scores])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    predict(request_for(path, tmp_path), silent)
    means = images.mean(axis=(1, 2), dtype=np.float64)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), means, rtol=2**-9)
    assert len(means) == count
