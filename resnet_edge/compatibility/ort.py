"""What an .ort file says of its format and its operators (onnxruntime/core/flatbuffers/schema/ort.fbs).

A third-party flatbuffer: nothing in it is trusted, and whatever a damaged one raises goes up.
"""

from __future__ import annotations

from collections.abc import Iterator

from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table

from resnet_edge.compatibility import onnxruntime
from resnet_edge.compatibility.onnx_operation import ONNX_DOMAINS
from resnet_edge.core.minimum import RuntimeMinimum

# Slots of the schema, in bytes of the table's index.
SESSION_VERSION, SESSION_MODEL = 4, 6
MODEL_OPSETS, MODEL_GRAPH = 6, 18
OPSET_DOMAIN, OPSET_VERSION = 4, 6
GRAPH_NODES = 8
NODE_DOMAIN, NODE_SINCE, NODE_OPERATOR = 8, 10, 14


def minimum(content: bytes) -> RuntimeMinimum:
    """The oldest ONNX Runtime for it. Raises whatever a damaged file leads to."""
    session = Table(content, encode.Get(packer.uoffset, content, 0))
    model = _child(session, SESSION_MODEL)
    if model is None:
        raise ValueError("it holds no model")
    opsets = {
        _text(entry, OPSET_DOMAIN): int(entry.GetSlot(OPSET_VERSION, 0, number_types.Int64Flags))
        for entry in _children(model, MODEL_OPSETS)
    }
    graph = _child(model, MODEL_GRAPH)
    nodes = list(_children(graph, GRAPH_NODES)) if graph is not None else []
    ops = {(_text(node, NODE_DOMAIN), _text(node, NODE_OPERATOR)) for node in nodes}
    since = {
        (_text(node, NODE_OPERATOR), int(node.GetSlot(NODE_SINCE, 0, number_types.Int32Flags)))
        for node in nodes
        if _text(node, NODE_DOMAIN) in ONNX_DOMAINS
    }
    return onnxruntime.of_ort(_text(session, SESSION_VERSION), opsets, ops, since)


def _text(table: Table, slot: int) -> str:
    offset = table.Offset(slot)
    return bytes(table.String(offset + table.Pos)).decode() if offset else ""


def _child(table: Table, slot: int) -> Table | None:
    offset = table.Offset(slot)
    return Table(table.Bytes, table.Indirect(offset + table.Pos)) if offset else None


def _children(table: Table, slot: int) -> Iterator[Table]:
    offset = table.Offset(slot)
    if offset:
        start = table.Vector(offset)
        for at in range(start, start + 4 * table.VectorLen(offset), 4):
            yield Table(table.Bytes, table.Indirect(at))
