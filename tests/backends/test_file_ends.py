"""The ends of .onnx files as the files themselves declare them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.backends._file_ends import declared_in_onnx, with_quantization
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError
from tests.backends import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    tiny.write_onnx(folder)
    return folder


def test_shapes_and_dtypes_are_those_of_the_file(folder: Path) -> None:
    image, scores = declared_in_onnx(folder / "fixed.onnx")
    assert (image.shape, image.dtype, scores.shape) == ((1, *tiny.SHAPE), "float32", (1, tiny.CLASSES))
    assert declared_in_onnx(folder / "dynamic.onnx")[0].shape == (None, *tiny.SHAPE)


def test_integer_ends_have_the_grid_of_the_file(folder: Path) -> None:
    path = folder / "uint8.onnx"
    image, scores = with_quantization(path, *declared_in_onnx(path))
    assert image.quantization == Quantization((tiny.IN_SCALE,), (tiny.IN_POINT,))
    assert scores.quantization == Quantization((tiny.OUT_SCALE,), (tiny.OUT_POINT,))


def test_floats_have_none_and_the_file_is_not_opened() -> None:
    spec = TensorSpec("image", (1, 8, 8, 1), "float32")
    assert with_quantization(Path("gone.onnx"), spec, spec) == (spec, spec)
    integer = replace(spec, dtype="uint8")
    assert with_quantization(Path("gone.ort"), integer, integer) == (integer, integer)


def test_what_is_no_onnx_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no protobuf")
    with pytest.raises(ArtifactError, match=r"a\.onnx cannot be opened as ONNX \(.*\): copy or convert it"):
        declared_in_onnx(tmp_path / "a.onnx")
