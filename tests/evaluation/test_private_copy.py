"""What is run is what was hashed, wherever the path leads later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, OutputError
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.evaluation.private_copy import private_copy
from resnet_edge.workers.progress import silent
from tests.backends import tiny


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tiny.write_onnx(tmp_path)
    return tmp_path / "fixed.onnx"


def apart(source: Path, location: str) -> Path:
    out = source.parent / "apart.onnx"
    onnx.save(onnx.load(source), out, save_as_external_data=True, location=location, size_threshold=0)
    return out


def outputs(path: Path, folder: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    np.save(folder / "images.npy", tiny.pixels(6))
    request = Predict(
        path=str(path),
        format="onnx",
        backend="onnxruntime",
        device="cpu",
        threads=1,
        images=str(folder / "images.npy"),
        out=str(folder / "out.npy"),
    )
    predict(request, silent)
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = np.load(folder / "out.npy")
    return scores


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_swap_behind_a_link_changes_nothing(file: Path, tmp_path: Path, link: object) -> None:
    named = tmp_path / "named.onnx"
    assert callable(link)
    link(file, named)
    copy = private_copy(named, "onnx", tmp_path / "private")
    before = outputs(copy.path, tmp_path)
    model = onnx.load(file)
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    file.write_bytes(model.SerializeToString())  # the same file, in place
    assert not np.array_equal(outputs(named, tmp_path), before)
    assert np.array_equal(outputs(copy.path, tmp_path), before)
    assert sha256_of(copy.path) == copy.sha256 != sha256_of(named)
    assert not copy.path.is_symlink()


@pytest.mark.parametrize("location", ["weights.bin", "sub/weights.bin"])
def test_weights_in_another_file_go_along(file: Path, tmp_path: Path, location: str) -> None:
    (tmp_path / "sub").mkdir()
    path = apart(file, location)
    copy = private_copy(path, "onnx", tmp_path / "private")
    assert copy.beside == (tmp_path / location,)
    assert copy.sha256 == sha256_of(path, *copy.beside)
    assert copy.size_bytes == path.stat().st_size + (tmp_path / location).stat().st_size
    before = outputs(copy.path, tmp_path)
    (tmp_path / location).write_bytes(bytes((tmp_path / location).stat().st_size))
    assert np.array_equal(outputs(copy.path, tmp_path), before)


def test_weights_outside_of_the_folder_are_refused(file: Path, tmp_path: Path) -> None:
    model = onnx.load(apart(file, "weights.bin"), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../weights.bin"
    (tmp_path / "out.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactError, match=r"outside of its folder: put them beside it"):
        private_copy(tmp_path / "out.onnx", "onnx", tmp_path / "private")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"gone\.onnx cannot be read"):
        private_copy(tmp_path / "gone.onnx", "onnx", tmp_path / "private")


def _outside() -> onnx.TensorProto:
    tensor = helper.make_tensor(
        "outside", TensorProto.FLOAT, [4], np.zeros(4, np.float32).tobytes(), raw=True
    )
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../etc/hostname"), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def _in_a_branch(model: onnx.ModelProto) -> None:
    branch = helper.make_graph([], "b", [], [], initializer=[_outside()])
    model.graph.node.append(helper.make_node("If", ["c"], ["o"], then_branch=branch, else_branch=branch))


def _in_a_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["o"], value=_outside())
    model.functions.append(helper.make_function("d", "f", [], ["o"], [node], [helper.make_opsetid("", 13)]))


def _sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add(values=_outside())


def _in_an_attribute(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["o"], value=_outside()))


@pytest.mark.parametrize("hidden", [_in_a_branch, _in_a_function, _sparse, _in_an_attribute])
def test_weights_outside_of_the_folder_are_refused_wherever_they_are_named(
    file: Path, tmp_path: Path, hidden: Callable[[onnx.ModelProto], None]
) -> None:
    model = onnx.load(file)
    hidden(model)
    (tmp_path / "hidden.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactError, match=r"has weights in \.\./\.\./etc/hostname, outside of its folder"):
        private_copy(tmp_path / "hidden.onnx", "onnx", tmp_path / "private")


def test_a_file_of_holes_is_not_copied_until_the_disk_is_full(tmp_path: Path) -> None:
    with (tmp_path / "holes.tflite").open("wb") as stream:
        stream.truncate(1 << 43)
    with pytest.raises(OutputError, match="has 8,796,093,022,208 bytes, and there are"):
        private_copy(tmp_path / "holes.tflite", "tflite", tmp_path / "private")
