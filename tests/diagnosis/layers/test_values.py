"""What tensors hold, beside what the network is known to give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.layers.onnx_steps import open_onnx
from resnet_edge.diagnosis.layers.tflite_steps import open_tflite
from resnet_edge.diagnosis.layers.values import onnx_run, tflite_run
from tests.backends import tiny
from tests.graph.road import Road

IMAGES = tiny.pixels(3, 9).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = tmp_path_factory.mktemp("onnx")
    tiny.write_onnx(files)
    return files


@pytest.mark.parametrize("file", ["fixed.onnx", "dynamic.onnx"])
def test_every_tensor_that_is_wanted_is_given(file: str, folder: Path) -> None:
    opened = open_onnx(folder / file)
    run = onnx_run(folder / file, opened, ["relu", "pool", "logits"])
    for image, truth in zip(IMAGES, tiny.logits(IMAGES), strict=True):
        values = run(image)
        assert values.keys() == {"image", "relu", "pool", "logits"}
        np.testing.assert_array_equal(values["image"], image[None])
        np.testing.assert_allclose(values["logits"][0], truth, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(values["pool"][0, :, 0, 0], values["relu"].mean((0, 2, 3)), rtol=1e-5)
        assert (values["relu"] >= 0).all()


def test_integers_are_given_as_the_real_numbers_that_they_stand_for(folder: Path) -> None:
    path = folder / "uint8.onnx"
    values = onnx_run(path, open_onnx(path), ["logits"])(IMAGES[0])
    assert values["logits"].dtype == np.float32
    steps = values["logits"] / tiny.OUT_SCALE
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert np.abs(values["logits"][0] - tiny.logits(IMAGES[:1])[0]).max() <= tiny.OUT_SCALE / 2 + 1e-4


def test_an_image_that_does_not_fit_is_an_error_in_one_line(folder: Path) -> None:
    run = onnx_run(folder / "fixed.onnx", open_onnx(folder / "fixed.onnx"), ["logits"])
    with pytest.raises(ArtifactError, match=r"ONNX Runtime does not run fixed\.onnx: .+") as raised:
        run(np.zeros((5, 5, 1), np.float32))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_tflite_gives_what_the_network_gives(scheme: str, roads: Callable[[str], Road]) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("tflite", scheme)
    opened = open_tflite(path)
    run = tflite_run(path, opened, [opened.entry, *(name for step in opened.steps for name in step.gives)])
    for image, truth in zip(net.images[:3], net.reference, strict=False):
        values = run(image)
        assert values.keys() >= {opened.entry, opened.exit}
        assert all(value.dtype == np.float32 for value in values.values())
        np.testing.assert_allclose(values[opened.entry][0], image, atol=0 if scheme == "fp32" else 0.01)
        off = np.abs(values[opened.exit][0] - truth).max()
        assert off < (1e-4 if scheme == "fp32" else 0.2 * np.abs(truth).max())


def test_tflite_takes_no_image_of_another_size(roads: Callable[[str], Road]) -> None:
    path, _ = roads("residual_v1").artifact("tflite", "fp32")
    opened = open_tflite(path)
    run = tflite_run(path, opened, [opened.exit])
    with pytest.raises(ArtifactError, match="LiteRT does not run written.fp32.float32.tflite: "):
        run(np.zeros((2, 2, 3), np.float32))
