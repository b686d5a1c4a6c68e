"""Files that compute the same have the same content, whatever they say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper

from resnet_edge.graph.content import content_of
from resnet_edge.graph.model import load_model, save_model
from tests.backends import tiny


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("content")
    tiny.write_onnx(folder)
    tiny.write_tflite(folder)
    return folder


def commented(model: Any) -> None:
    model.producer_name = model.doc_string = "another"
    model.graph.doc_string = model.graph.name = "a comment"
    entry = model.metadata_props.add()
    entry.key, entry.value = "licence", "none"
    model.graph.node[0].name = model.graph.node[0].doc_string = "first"


def renamed(model: Any) -> None:
    for node in model.graph.node:
        node.input[:] = [{"conv": "other"}.get(name, name) for name in node.input]
        node.output[:] = [{"conv": "other"}.get(name, name) for name in node.output]


def scaled(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))


def padded(model: Any) -> None:
    (conv,) = [node for node in model.graph.node if node.op_type == "Conv"]
    conv.attribute[0].ints[:] = [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("change", "same"), [(commented, True), (renamed, True), (scaled, False), (padded, False)]
)
def test_onnx(files: Path, tmp_path: Path, change: Any, same: bool) -> None:
    model = onnx.load(files / "fixed.onnx")
    change(model)
    onnx.save(model, tmp_path / "changed.onnx")
    assert (content_of(tmp_path / "changed.onnx", "onnx") == content_of(files / "fixed.onnx", "onnx")) == same


def test_onnx_with_its_weights_beside_it(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "apart.onnx"
    onnx.save(
        onnx.load(files / "fixed.onnx"), path, save_as_external_data=True, location="w", size_threshold=0
    )
    assert content_of(path, "onnx") == content_of(files / "fixed.onnx", "onnx") != ""


def test_tflite(files: Path, tmp_path: Path) -> None:
    own, path = content_of(files / "fixed.tflite", "tflite"), tmp_path / "changed.tflite"
    model = load_model(files / "fixed.tflite")
    model.description = b"another"
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(b"a comment", np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = b"comment", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    save_model(model, path)
    assert content_of(path, "tflite") == own != ""
    weights = next(b for b in model.buffers if b.data is not None and len(b.data) > 64)
    weights.data = np.asarray(weights.data)[::-1].copy()
    save_model(model, path)
    assert content_of(path, "tflite") != own


def test_what_cannot_be_read_has_none(files: Path) -> None:
    tiny.write_broken(files)
    for name in ("random.onnx", "truncated.tflite"):
        assert content_of(files / name, name.rpartition(".")[2]) == ""
    assert content_of(files / "fixed.onnx", "keras") == ""
