"""How much a model file asks for where parts of it call each other: functions of ONNX, subgraphs of TFLite.

A part that is called twice, by a part that is called twice, and so on 30 times, is a billion operations in
two kilobytes: ONNX Runtime writes each call out before it runs anything, LiteRT goes through all of them. So
they are counted first, by what the file lists, and it may unfold to no more than a file can hold that lists
the same without calls. What calls itself has no end: ONNX forbids it, and LiteRT overflows its stack.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.machine import available_memory
from resnet_edge.graph import flat, wire

MOST = (1 << 31) - 1
"""Bytes that an ONNX or TFLite file can have: offsets are 32 bits of a flatbuffer, sizes 31 of protobuf."""

OPERATION_BYTES = 1 << 10
"""That ONNX Runtime takes at least for an operation: 2.8 kB in 1.32, for the smallest ones (100,000 Neg)."""

Name = Hashable


@dataclass(kw_only=True)
class Part:
    """A function or subgraph: the operations that are its own, their `size` in bytes, and how often each
    other part is called from it."""

    operations: int = 0
    size: int = 0
    calls: Counter[Name] = field(default_factory=Counter)


class Endless(ValueError):
    """A part that calls itself, at once or through others."""


def check_unfolded(path: Path) -> None:
    """Of a .onnx or .tflite file, before a library goes through it; another, or one too damaged to be
    counted, is left to whoever reads it. Raises ArtifactError."""
    if reason := _refusal(str(path)):
        raise ArtifactError(f"{path} {reason}: it is damaged or hostile; export it again")


@lru_cache(maxsize=64)
def _refusal(path: str) -> str:
    """Empty where nothing is wrong."""
    readers = {".onnx": onnx_parts, ".tflite": tflite_parts}
    reader = readers.get(Path(path).suffix.lower())
    if reader is None:
        return ""
    try:
        with (
            Path(path).open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            whole = unfolded(reader(content))
    except Endless:
        return "has a part that calls itself without end"
    except (OSError, ValueError, struct.error):
        return ""
    trouble = f"has parts that call each other so often that it unfolds to {whole.operations:,} operations"
    if whole.size > MOST:
        return f"{trouble}, {whole.size:,} bytes, and no file can hold more than {MOST:,}"
    room, need = available_memory(), whole.operations * OPERATION_BYTES
    if path.lower().endswith(".onnx") and room is not None and need > max(PROMISE, room):
        return f"{trouble}, which take {need:,} bytes and more, and {room:,} bytes of memory are free"
    return ""


def unfolded(parts: Mapping[Name, Part], start: Name = None) -> Part:
    """The part `start`, with those that it calls written out; without the calls. Raises Endless."""
    sizes: dict[Name, Part] = {}
    above: dict[Name, None] = {}
    stack = [start]
    while stack:
        name = stack[-1]
        part = parts.get(name, Part())
        if name in sizes:
            stack.pop()
        elif waiting := [each for each in part.calls if each not in sizes]:
            above[name] = None
            if any(each in above for each in waiting):
                raise Endless
            stack += waiting
        else:
            called = [(sizes[each], often) for each, often in part.calls.items()]
            sizes[name] = Part(
                operations=part.operations + sum(each.operations * often for each, often in called),
                size=part.size + sum(each.size * often for each, often in called),
            )
            above.pop(name, None)
            stack.pop()
    return sizes[start]


# onnx/onnx.proto: numbers of fields.
GRAPH, FUNCTIONS = 7, 25
NODES_OF_GRAPH, NODES_OF_FUNCTION = 1, 7
FUNCTION_NAME, FUNCTION_DOMAIN, FUNCTION_OVERLOAD = 1, 10, 13
OPERATION, ATTRIBUTE, DOMAIN, OVERLOAD = 4, 5, 7, 8
BRANCH, BRANCHES = 6, 11


def onnx_parts(held: flat.Content) -> Mapping[Name, Part]:
    """The functions of an ONNX file, and None: its graph. Raises ValueError where it is damaged.

    A file without functions is not looked into: its weights would have to be read over."""
    fields = list(wire.fields(held, 0, len(held)))
    functions = [each for each in fields if each.number == FUNCTIONS]
    if not functions:
        return {None: Part()}
    parts: dict[Name, Part] = {None: Part()}
    for each in functions:
        inside = wire.fields(held, each.begin, each.end)
        name = _name(held, inside, FUNCTION_DOMAIN, FUNCTION_NAME, FUNCTION_OVERLOAD)
        _add_nodes(held, each, NODES_OF_FUNCTION, parts.setdefault(name, Part()))
    for each in fields:
        if each.number == GRAPH:
            _add_nodes(held, each, NODES_OF_GRAPH, parts[None])
    for part in parts.values():
        part.calls = Counter({name: often for name, often in part.calls.items() if name in parts})
    return parts


def _add_nodes(held: flat.Content, message: wire.Field, number: int, part: Part) -> None:
    """The nodes of a graph or function, and of the graphs inside of them."""
    stack = [(message, number)]
    while stack:
        graph, nodes = stack.pop()
        for node in wire.fields(held, graph.begin, graph.end):
            if node.number != nodes:
                continue
            inside = list(wire.fields(held, node.begin, node.end))
            part.operations += 1
            part.size += node.end - node.begin
            part.calls[_name(held, inside, DOMAIN, OPERATION, OVERLOAD)] += 1
            for attribute in inside:
                if attribute.number == ATTRIBUTE:
                    inner = wire.fields(held, attribute.begin, attribute.end)
                    stack += [(each, NODES_OF_GRAPH) for each in inner if each.number in (BRANCH, BRANCHES)]


def _name(held: flat.Content, fields: Iterable[wire.Field], domain: int, name: int, overload: int) -> Name:
    by_number = {each.number: each for each in fields}  # the last one counts, as protobuf has it
    parts = [
        wire.content(held, by_number[each]) if each in by_number else b"" for each in (domain, name, overload)
    ]
    return (b"" if parts[0] == b"ai.onnx" else parts[0], parts[1], parts[2])


# tensorflow/compiler/mlir/lite/schema/schema.fbs: slots in bytes of a table's index.
SUBGRAPHS, OPERATORS = 8, 10
OPTIONS = ((10, 12), (26, 28))
"""Of an operator: the slots of the kind of its options and of these, and of the newer ones."""
CALLS: tuple[Mapping[int, tuple[int, ...]], Mapping[int, tuple[int, ...]]] = (
    {16: (4,), 92: (4, 6), 93: (4, 6), 103: (4,)},  # CALL, IF, WHILE, CALL_ONCE
    # STABLEHLO_ REDUCE, SCATTER, REDUCE_WINDOW, SORT, WHILE, COMPOSITE
    {6: (6,), 7: (16,), 13: (14,), 14: (8,), 15: (4, 6), 21: (6,)},
)
"""By the kind of options: the slots that hold the number of a subgraph."""


def tflite_parts(held: flat.Content) -> Mapping[Name, Part]:
    """The subgraphs of a TFLite file, of which those are counted that the first leads to; None: that one.
    Raises ValueError, struct.error where it is damaged."""
    parts: dict[Name, Part] = {None: Part(calls=Counter([0]))}
    for number, graph in enumerate(flat.tables(held, flat.root(held), SUBGRAPHS)):
        part = parts.setdefault(number, Part())
        for operator in flat.tables(held, graph, OPERATORS):
            part.operations += 1
            part.size += flat.TABLE
            part.calls.update(_called(held, operator))
    return parts


def _called(held: flat.Content, operator: int) -> Iterator[int]:
    for (kind, options), slots in zip(OPTIONS, CALLS, strict=True):
        position = flat.field(held, operator, kind)
        at = flat.field(held, operator, options)
        if position is None or at is None:
            continue
        table = flat.offset(held, at)
        (called,) = struct.unpack_from("<B", held, position)
        for slot in slots.get(called, ()):
            place = flat.field(held, table, slot)
            yield 0 if place is None else struct.unpack_from("<i", held, place)[0]
