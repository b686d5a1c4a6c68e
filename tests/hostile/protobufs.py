"""Changes of an ONNX file: of any field of its messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.hostile.mutations import Draw, changed_bytes, pick

INTEGERS = (0, 1, -1, 2, 5, 7, 16, 17, 23, 99, 255, 2**31 - 1, -(2**31), 2**62, -(2**63))
TEXTS = (
    "",
    "x",
    "image",
    "kernel",
    "logits",
    "conv",
    "\x1b[31m",
    "a\nb",
    "../../x",
    "com.microsoft",
    "Loop",
    "é" * 500,
)
BLOBS = (b"", b"\xff\xfe", b"\x1b[31m", bytes(3), bytes(4000))
DEPTHS = (3, 10, 20, 30)
"""protobuf reads 100 messages within each other, of which such a node has three."""


def messages(root: Any) -> Iterator[tuple[Any, Any]]:
    """Every message with each of its fields that is set."""
    stack = [root]
    while stack:
        message = stack.pop()
        for field, value in message.ListFields():
            yield message, field
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                stack += list(value) if _repeated(message, field) else [value]


def _repeated(message: Any, field: Any) -> bool:
    return hasattr(getattr(message, field.name), "append") or hasattr(getattr(message, field.name), "add")


def changed(draw: Draw, content: bytes) -> bytes:
    """The file with one to three fields that say something else, or with other bytes."""
    how = pick(draw, ("field",) * 8 + ("bytes", "special", "special"))
    if how == "bytes":
        return changed_bytes(draw, content)
    model = onnx.load_from_string(content)
    if how == "special":
        _special(draw, model.graph)
    else:
        for _ in range(draw(st.integers(1, 3))):
            all_messages = list(messages(model))
            if not all_messages:
                break
            kinds = sorted({field.full_name for _, field in all_messages})
            kind = pick(draw, kinds)
            _change(draw, *pick(draw, [each for each in all_messages if each[1].full_name == kind]))
    return bytes(model.SerializeToString())


def _change(draw: Draw, message: Any, field: Any) -> None:
    how = pick(draw, ("value", "value", "clear", "shorter", "again", "sibling"))
    if how == "sibling":
        field = pick(draw, list(message.DESCRIPTOR.fields))
    if how == "clear":
        message.ClearField(field.name)
        return
    held = getattr(message, field.name)
    if not _repeated(message, field):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            message.ClearField(field.name)
        else:
            _set(lambda value: setattr(message, field.name, value), draw, field)
        return
    if how == "shorter" and len(held):
        del held[draw(st.integers(0, len(held) - 1))]
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        held.add().CopyFrom(held[0]) if len(held) else held.add()
    elif how == "value" and len(held):
        index = draw(st.integers(0, len(held) - 1))
        _set(lambda value: held.__setitem__(index, value), draw, field)
    else:
        _set(held.append, draw, field)


def _set(put: Any, draw: Draw, field: Any) -> None:
    """Put a value of the field's own type: protobuf takes no other."""
    kinds = {
        FieldDescriptor.TYPE_STRING: TEXTS,
        FieldDescriptor.TYPE_BYTES: BLOBS,
        FieldDescriptor.TYPE_FLOAT: (0.0, float("nan"), float("inf"), -1.0),
        FieldDescriptor.TYPE_DOUBLE: (0.0, float("nan"), float("inf"), -1.0),
    }
    value = pick(draw, kinds.get(field.type, INTEGERS))
    try:
        put(value)
    except (ValueError, TypeError):  # an integer that is too large for it
        put(1)


def _special(draw: Draw, graph: Any) -> None:  # noqa: C901 - a list of what no field alone says
    how = pick(draw, ("external", "nested", "cycle", "self", "unknown", "bomb", "missing", "names"))
    tensor = graph.initializer[0]
    if how == "external":
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        for key, value in (
            ("location", pick(draw, ("/etc/passwd", "../../x", "x\x1b", "", "a/b", "."))),
            ("offset", pick(draw, ("0", "-1", "x", "99999999999999999999"))),
            ("length", pick(draw, ("0", "-5", "1000000000000"))),
        ):
            tensor.external_data.add(key=key, value=value)
    elif how == "nested":
        inner = helper.make_graph([], "deepest", [], [])
        for _ in range(pick(draw, DEPTHS)):
            node = helper.make_node("If", ["x"], ["y"], then_branch=inner)
            inner = helper.make_graph([node], "inner", [], [])
        graph.node.extend(inner.node)
    elif how == "cycle":
        graph.node[0].input[0] = graph.node[-1].output[0]
    elif how == "self":
        graph.node[1].input[0] = graph.node[1].output[0]
    elif how == "unknown":
        tensor.data_type = pick(draw, (0, 8, 16, 17, 21, 23, 99, -1))
    elif how == "bomb":
        del tensor.dims[:]
        tensor.dims.extend(pick(draw, ((2**40,), (2**20, 2**20, 2**20), (-1,), (0,), (2**62, 4))))
    elif how == "missing":
        del graph.node[draw(st.integers(0, len(graph.node) - 1))].input[:]
    else:
        for node in graph.node:
            node.name = pick(draw, TEXTS)
            node.op_type = pick(draw, (node.op_type, *TEXTS))
