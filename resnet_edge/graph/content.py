"""What a file computes, as a hash: its graph and its weights, without what only people read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_edge.graph.model import Graph, read_graph

if TYPE_CHECKING:
    import onnx


def content_of(path: Path, format: str) -> str:
    """The same for two files that differ in names, producers, comments and metadata alone. Empty where the
    file is of a kind that is not looked into, or cannot be read."""
    try:
        if format == "tflite":
            return _of_tflite(read_graph(path))
        return _of_onnx(path) if format == "onnx" else ""
    except Exception:  # weights that are not there, or a damaged file: whoever runs it says so
        return ""


def _hashed(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _of_tflite(graph: Graph) -> str:
    ends = repr((graph.inputs, graph.outputs)).encode()
    tensors = (
        part
        for tensor in graph.tensors
        for part in (
            repr((tensor.shape, tensor.dtype, tensor.quantization)).encode(),
            b"" if tensor.data is None else tensor.data.tobytes(),
        )
    )
    nodes = (
        repr((n.op, n.inputs, n.outputs, sorted((k, _plain(v)) for k, v in n.options.items()))).encode()
        for n in graph.nodes
    )
    return _hashed((ends, *tensors, *nodes))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _of_onnx(path: Path) -> str:
    import onnx

    model = onnx.load(str(path))
    model.producer_name = model.producer_version = model.domain = model.doc_string = ""
    model.model_version = 0
    del model.metadata_props[:]
    names = _Numbers()
    _strip(model.graph, names)
    return _hashed((model.SerializeToString(deterministic=True),))


class _Numbers:
    """Values by the order in which they first occur, in place of their names."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {"": ""}

    def of(self, name: str) -> str:
        return self._known.setdefault(name, str(len(self._known)))


def _strip(graph: onnx.GraphProto, names: _Numbers) -> None:
    graph.name = graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.value_info[:]
    for node in graph.node:
        node.name = node.doc_string = ""
        del node.metadata_props[:]
        _renamed(node, names)
    for entry in (*graph.input, *graph.output):
        entry.name, entry.doc_string = names.of(entry.name), ""
        del entry.metadata_props[:]
    for tensor in graph.initializer:
        tensor.name, tensor.doc_string = names.of(tensor.name), ""
        del tensor.metadata_props[:]
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    tensors = sorted(graph.initializer, key=lambda tensor: tensor.name)
    del graph.initializer[:]
    graph.initializer.extend(tensors)


def _renamed(node: onnx.NodeProto, names: _Numbers) -> None:
    for values in (node.input, node.output):
        values[:] = [names.of(name) for name in values]
    attributes = sorted(node.attribute, key=lambda each: each.name)
    for each in attributes:
        each.doc_string = ""
        for inner in (*([each.g] if each.HasField("g") else ()), *each.graphs):
            _strip(inner, names)
    del node.attribute[:]
    node.attribute.extend(attributes)
