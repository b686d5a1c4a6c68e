"""Files run operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.as_written import as_written
from resnet_edge.formats import onnx as onnx_format
from resnet_edge.formats import tflite as tflite_format
from tests.backends import tiny
from tests.graph.road import Road


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    tiny.write_onnx(folder)
    (folder / "fixed.tflite").write_bytes(b"\x1c\0\0\0TFL3 and nothing more")
    tiny.write_broken(folder)
    return folder


@pytest.mark.parametrize("name", ["fixed.onnx", "dynamic.onnx"])
def test_onnx_gives_what_the_network_gives_one_image_at_a_time(name: str, files: Path) -> None:
    run = as_written(files / name, onnx_format.describe(files / name)[0][0])
    images = tiny.pixels(4).astype(np.float32)
    outputs = np.concatenate([run(image[None]) for image in images])
    np.testing.assert_allclose(outputs, tiny.logits(images), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_tflite_gives_what_the_network_gives(roads: Callable[[str], Road]) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("tflite", "fp32")
    run = as_written(path, tflite_format.describe(path)[0][0])
    outputs = np.concatenate([run(image[None]) for image in net.images])
    np.testing.assert_allclose(outputs, net.reference, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["random.onnx", "truncated.onnx", "random.tflite", "truncated.tflite"])
def test_what_cannot_be_opened_is_an_error_in_one_line(name: str, files: Path) -> None:
    spec = onnx_format.describe(files / "fixed.onnx")[0][0]
    with pytest.raises(ArtifactError, match=f"{name} does not run operation by operation: .+") as raised:
        as_written(files / name, spec)
    assert "\n" not in str(raised.value)
