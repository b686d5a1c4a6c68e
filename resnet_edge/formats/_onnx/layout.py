"""Orders of axes: that of the portable graph (NHWC for rank 4), and that of the lowering (NCHW)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from resnet_edge.formats._onnx.builder import NCHW, NHWC, Builder, NotLowered

T = TypeVar("T")


def axis_here(axis: int, rank: int) -> int:
    """Where an axis of the portable graph is; a negative one counts from the end."""
    return NHWC[axis % rank] if rank == 4 else axis % rank


def here(values: Sequence[T]) -> list[T]:
    """What belongs to the axes of the portable graph, in the order of the lowering."""
    return [values[axis] for axis in NCHW] if len(values) == 4 else [*values]


def transposed(b: Builder, value: str, order: Sequence[int], hint: str) -> str:
    """`value` with its axes in another order."""
    if list(order) == list(range(len(order))):
        return value
    return b.moved(value, lambda moved: b.node("Transpose", [moved], hint, perm=list(order)))


def reshaped(b: Builder, value: str, sizes: Sequence[int | None], hint: str) -> str:
    """`value` in another shape; None is a size that is not known. Raises NotLowered where there are two."""
    if list(sizes).count(None) > 1:
        raise NotLowered(f"a reshape to {tuple(sizes)} at {hint!r}")
    known = np.asarray([-1 if size is None else size for size in sizes], np.int64)
    return b.moved(
        value, lambda moved: b.node("Reshape", [moved, b.initializer(known, f"{hint}_shape")], hint)
    )


def in_portable_order(b: Builder, index: int, value: str | None = None) -> str:
    """A tensor, or `value` that stands for it, with its axes as the portable graph has them."""
    value, rank = value or b.value(index), len(b.shape(index))
    return transposed(b, value, NHWC, b.name(index)) if rank == 4 else value


def from_portable_order(b: Builder, value: str, rank: int, hint: str) -> str:
    """The reverse of it."""
    return transposed(b, value, NCHW, hint) if rank == 4 else value


def known_shape(b: Builder, index: int) -> tuple[int, ...]:
    """The shape of a tensor in the portable graph but for the batch, which is -1 where it is not known.
    Raises NotLowered where more is not known."""
    first, *rest = b.shape(index) or (1,)
    sizes = [size for size in rest if size is not None]
    if len(sizes) != len(rest):
        raise NotLowered(f"{b.name(index)!r} has the unknown shape {b.shape(index)}")
    return (-1 if first is None else first, *sizes)
