"""Operations that cut, repeat, reorder and join, and compute nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.formats._onnx.layout import (
    axis_here,
    from_portable_order,
    here,
    in_portable_order,
    known_shape,
    reshaped,
    transposed,
)
from resnet_edge.graph.model import Node


def sliced(b: Builder, value: str, axis: int, begin: int, end: int, hint: str, step: int = 1) -> str:
    """Part of one axis (of the lowering)."""
    bounds = [b.initializer(np.asarray([v], np.int64), f"{hint}_slice") for v in (begin, end, axis, step)]
    return b.moved(value, lambda moved: b.node("Slice", [moved, *bounds], hint))


def gathered(b: Builder, value: str, indices: NDArray[Any], axis: int, hint: str) -> str:
    """`value` at `indices` of one axis (of the lowering)."""
    places = b.initializer(indices.astype(np.int64), f"{hint}_indices")
    return b.moved(value, lambda moved: b.node("Gather", [moved, places], hint, axis=axis))


def split(b: Builder, node: Node) -> None:
    """SPLIT into equal parts."""
    axis, source = node.inputs
    size = b.shape(source)[int(b.constant(axis))]
    if size is None:
        raise NotLowered(f"a split of an axis of unknown size at {b.name(node.outputs[0])!r}")
    _cut(b, node, source, int(b.constant(axis)), [size // len(node.outputs)] * len(node.outputs))


def split_v(b: Builder, node: Node) -> None:
    """SPLIT_V into parts of given sizes; -1 is what is left."""
    source, sizes, axis = node.inputs
    at = int(b.constant(axis))
    parts = [b.shape(index)[at] for index in node.outputs]
    if None in parts:
        raise NotLowered(f"a split into parts of unknown size at {b.name(node.outputs[0])!r}")
    _cut(b, node, source, at, [size for size in parts if size is not None])


def _cut(b: Builder, node: Node, source: int, axis: int, sizes: list[int]) -> None:
    ends = np.cumsum(sizes).tolist()
    where = axis_here(axis, len(b.shape(source)))
    for output, size, end in zip(node.outputs, sizes, ends, strict=True):
        b.define_moved(output, source, sliced(b, b.value(source), where, end - size, end, b.name(output)))


def unpack(b: Builder, node: Node) -> None:
    """UNPACK: the slices of an axis, each without it."""
    (source,) = node.inputs
    rank = len(b.shape(source))
    axis = int(node.options["axis"]) % rank
    value = in_portable_order(b, source)
    for number, output in enumerate(node.outputs):
        hint = b.name(output)
        part = sliced(b, value, axis, number, number + 1, hint)
        flat = reshaped(b, part, b.shape(output), hint)
        b.define_moved(output, source, from_portable_order(b, flat, rank - 1, hint))


def pack(b: Builder, node: Node) -> None:
    """PACK: tensors along a new axis."""
    (output,), hint = node.outputs, b.name(node.outputs[0])
    rank = len(b.shape(output))
    axis = int(node.options["axis"]) % rank
    sizes = [1 if at == axis else size for at, size in enumerate(b.shape(output))]
    parts = [reshaped(b, in_portable_order(b, index), sizes, hint) for index in node.inputs]
    joined = b.rounded(b.node("Concat", parts, hint, axis=axis), output)
    b.define_exact(output, from_portable_order(b, joined, rank, hint))


def tile(b: Builder, node: Node) -> None:
    """TILE: every axis so many times over."""
    source, output = node.inputs[0], node.outputs[0]
    counts = np.asarray(here(b.constant(node.inputs[1]).tolist()), np.int64)
    repeats, hint = b.initializer(counts, f"{b.name(output)}_repeats"), b.name(output)
    tiled = b.moved(b.value(source), lambda moved: b.node("Tile", [moved, repeats], hint))
    b.define_moved(output, source, tiled)


def broadcast_to(b: Builder, node: Node) -> None:
    """BROADCAST_TO: axes of size 1, and new ones in front, repeated."""
    source, output = node.inputs[0], node.outputs[0]
    hint, shape = b.name(output), b.shape(output)
    before = (1,) * (len(shape) - len(b.shape(source))) + b.shape(source)
    grown = [axis for axis, size in enumerate(shape) if size is None and before[axis] == 1]
    if grown:
        raise NotLowered(f"a broadcast to {shape} at {hint!r}")
    value = in_portable_order(b, source)
    if len(shape) != len(b.shape(source)):
        value = reshaped(b, value, before, hint)
    target = b.initializer(np.asarray([size or 1 for size in shape], np.int64), f"{hint}_shape")
    expanded = b.moved(value, lambda moved: b.node("Expand", [moved, target], hint))
    b.define_moved(output, source, from_portable_order(b, expanded, len(shape), hint))


def gather(b: Builder, node: Node) -> None:
    """GATHER at constant places of one axis."""
    source, output = node.inputs[0], node.outputs[0]
    hint, rank = b.name(output), len(b.shape(source))
    places = b.constant(node.inputs[1])
    if node.options.get("batchDims"):
        raise NotLowered(f"a gather for each image at {hint!r}")
    if places.ndim == 1:
        where = axis_here(int(node.options["axis"]), rank)
        b.define_moved(output, source, gathered(b, b.value(source), places, where, hint))
        return
    taken = gathered(b, in_portable_order(b, source), places, int(node.options["axis"]) % rank, hint)
    b.define_moved(output, source, from_portable_order(b, taken, len(b.shape(output)), hint))


def reverse(b: Builder, node: Node) -> None:
    """REVERSE_V2 along constant axes."""
    source, output = node.inputs[0], node.outputs[0]
    value, rank = b.value(source), len(b.shape(source))
    for axis in np.atleast_1d(b.constant(node.inputs[1])).tolist():
        value = sliced(b, value, axis_here(axis, rank), -1, -(2**31), b.name(output), -1)
    b.define_moved(output, source, value)


def mirror_pad(b: Builder, node: Node) -> None:
    """MIRROR_PAD: rows and columns read once more from the border inwards, with it (SYMMETRIC, which ONNX's
    Pad does not have) or without (REFLECT)."""
    source, output = node.inputs[0], node.outputs[0]
    value, shape = b.value(source), b.shape(source)
    mode = "symmetric" if node.options["mode"] else "reflect"
    for axis, amounts in enumerate(b.constant(node.inputs[1]).tolist()):
        size = shape[axis]
        if not any(amounts):
            continue
        if size is None:
            raise NotLowered(f"mirrored padding of an axis of unknown size at {b.name(output)!r}")
        places = np.pad(np.arange(size), amounts, mode)  # type: ignore[call-overload]  # one of two literals
        value = gathered(b, value, places, axis_here(axis, len(shape)), b.name(output))
    b.define_moved(output, source, value)


def depth_to_space(b: Builder, node: Node) -> None:
    """DEPTH_TO_SPACE: channels as (row, column, channel) of a block of pixels."""
    source, output = node.inputs[0], node.outputs[0]
    size, shape = int(node.options["blockSize"]), known_shape(b, source)
    b.define_moved(output, source, spread(b, b.value(source), shape, (size, size), b.name(output)))


def spread(b: Builder, value: str, shape: tuple[int, ...], block: tuple[int, int], hint: str) -> str:
    """`value`, in the portable graph (N, H, W, rows * columns * C), as (N, rows * H, columns * W, C)."""
    (rows, columns), (batch, height, width, channels) = block, shape
    channels //= rows * columns
    return _blocks(
        b,
        value,
        (batch, rows, columns, channels, height, width),
        (0, 3, 4, 1, 5, 2),
        (batch, channels, height * rows, width * columns),
        hint,
    )


def space_to_depth(b: Builder, node: Node) -> None:
    """SPACE_TO_DEPTH: a block of pixels as channels (row, column, channel)."""
    source, output = node.inputs[0], node.outputs[0]
    size, (batch, height, width, channels) = int(node.options["blockSize"]), known_shape(b, source)
    blocks = _blocks(
        b,
        b.value(source),
        (batch, channels, height // size, size, width // size, size),
        (0, 3, 5, 1, 2, 4),
        (batch, channels * size * size, height // size, width // size),
        b.name(output),
    )
    b.define_moved(output, source, blocks)


def _blocks(
    b: Builder, value: str, apart: tuple[int, ...], order: tuple[int, ...], joined: tuple[int, ...], hint: str
) -> str:
    """`value` taken apart, in another order, and joined again; -1 is a size that is not known."""
    pieces = transposed(b, reshaped(b, value, apart, hint), order, hint)
    return reshaped(b, pieces, joined, hint)


HANDLERS = {
    "SPLIT": split,
    "SPLIT_V": split_v,
    "UNPACK": unpack,
    "PACK": pack,
    "TILE": tile,
    "BROADCAST_TO": broadcast_to,
    "GATHER": gather,
    "REVERSE_V2": reverse,
    "MIRROR_PAD": mirror_pad,
    "DEPTH_TO_SPACE": depth_to_space,
    "SPACE_TO_DEPTH": space_to_depth,
}
