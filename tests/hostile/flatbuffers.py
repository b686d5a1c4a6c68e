"""Changes of a TFLite file: of any field of its flatbuffer, and of the metadata in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import reject
from hypothesis import strategies as st

from tests.hostile.mutations import Draw, changed_bytes, pick

Place = tuple[Any, Any]

SIZES = (0, 1, -1, -2, 2, 3, 7, 100, 127, 128, 255, 32767, 65535, 2**30, 2**31 - 1, -(2**31))
TEXTS = (b"", b"\xff\xfe", b"\x1b[31mred", b"a\nb", b"image", b"x" * 2000, "\u202eé".encode(), None)
REALS = (0.0, -1.0, float("nan"), float("inf"), 1e-45, 1e38)


def places(root: Any) -> Iterator[Place]:
    """Every object and name of a field, every list and index."""
    stack, seen = [root], set()
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, list):
            keys: Any = range(len(item))
        elif type(item).__name__.endswith("T") and hasattr(item, "Pack"):
            keys = vars(item)
        else:
            continue
        for key in keys:
            yield item, key
            stack.append(at((item, key)))


def at(place: Place) -> Any:
    """What is there."""
    item, key = place
    return item[key] if isinstance(item, list) else getattr(item, key)


def put(place: Place, value: Any) -> None:
    """Put it there."""
    item, key = place
    if isinstance(item, list):
        item[key] = value
    else:
        setattr(item, key, value)


def _other(draw: Draw, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        return pick(draw, SIZES)
    if isinstance(value, float | np.floating):
        return pick(draw, REALS)
    if isinstance(value, bytes | str):
        return pick(draw, TEXTS)
    if isinstance(value, np.ndarray | list):
        return _other_list(draw, list(value))
    if value is None:
        return pick(draw, ([], [0], [-1, 5], b"x", 1, [1, 2**31 - 1, 2**31 - 1]))
    return None


def _other_list(draw: Draw, values: list[Any]) -> Any:
    how = pick(draw, ("none", "empty", "shorter", "longer", "twice", "item", "item", "item"))
    if how == "none":
        return None
    if how == "empty" or not values:
        return []
    if how == "shorter":
        return values[:-1]
    if how == "longer":
        return [*values, values[0]]
    if how == "twice":
        return values * 2
    index = draw(st.integers(0, len(values) - 1))
    if isinstance(values[0], int | float | np.generic):
        values[index] = _other(draw, values[index])
    return values


def changed(draw: Draw, content: bytes) -> bytes:
    """The file with one to three fields that say something else, or with other bytes."""
    how = pick(draw, ("field",) * 8 + ("bytes", "knot"))
    if how == "bytes":
        return changed_bytes(draw, content)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if how == "knot":
        _knot(draw, model)
    else:
        for _ in range(draw(st.integers(1, 3))):
            all_places = list(places(model))
            kinds = sorted({_kind(place) for place in all_places})
            kind = pick(draw, kinds)  # else nearly every place is one of a tensor
            place = pick(draw, [place for place in all_places if _kind(place) == kind])
            put(place, _other(draw, at(place)))
    return _packed(model)


def _kind(place: Place) -> str:
    return f"{type(place[0]).__name__}.{place[1] if isinstance(place[1], str) else ''}"


def _knot(draw: Draw, model: Any) -> None:
    """Operations that read what they make, in a circle or from each other; or none at all."""
    graph = model.subgraphs[0]
    how = pick(draw, ("self", "circle", "reverse", "none", "constant", "ends", "shuffled"))
    operators = graph.operators
    if how == "self":
        operators[0].inputs = operators[0].outputs
    elif how == "circle":
        operators[0].inputs = np.append(operators[0].inputs, operators[-1].outputs)
        operators[0].inputs[0] = operators[-1].outputs[0]
    elif how == "reverse":
        graph.operators = operators[::-1]
    elif how == "none":
        graph.operators = []
    elif how == "constant":
        operators[0].outputs = operators[0].inputs[1:2]
    elif how == "ends":
        graph.inputs, graph.outputs = graph.outputs, graph.inputs
    else:
        random.Random(draw(st.integers(0, 99))).shuffle(graph.operators)


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(4096)
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except Exception:  # a value that the field cannot hold: no file says it
        reject()
    return bytes(builder.Output())


def changed_metadata(draw: Draw, content: bytes) -> bytes:
    """The file with other bytes in its metadata, or in the label files behind it."""
    begin = content.rindex(b"M001")
    behind = content.rindex(b"PK\x03\x04", 0, content.rindex(b"PK\x01\x02"))
    start, end = pick(
        draw, ((begin - 4, begin + 700), (begin - 4, begin + 100), (behind - 100, len(content)))
    )
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if pick(draw, (True, False, False)):
        put(
            pick(draw, [p for p in places(model) if _kind(p).startswith(("MetadataT", "BufferT"))]),
            pick(draw, (0, 9999, None, b"x")),
        )
        return _packed(model)
    middle = content[start:end]
    at_byte = draw(st.integers(0, max(0, len(middle) - 1)))
    size = pick(draw, (1, 1, 2, 4))
    new = pick(draw, (b"\x00", b"\xff", b"\x80", b"\x7f", b"\x01", b"\x1b")) * size
    return content[:start] + middle[:at_byte] + new + middle[at_byte + size :] + content[end:]
