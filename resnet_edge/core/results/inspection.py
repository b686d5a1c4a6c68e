"""What stands in a model file, as plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from resnet_edge.core.artifact import Layout, TensorSpec
from resnet_edge.core.metadata import ModelMetadata
from resnet_edge.core.minimum import RuntimeMinimum


@dataclass(frozen=True)
class OpCount:
    """How often an operation occurs in one precision, and the multiply-accumulates of all of these for one
    image (0 for operations that are no convolution or matrix).

    `precision`: the dtype of activations, `int8`; with that of the weights as they are stored where it is
    another, `int16 x int8`; or what becomes of what, `float32 to int8`.
    """

    op: str
    precision: str
    count: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """One model file; `file` is its name. `made_by` are the lines in which it tells of its writer. `ops` is
    None where the format keeps its graph to itself; `parameter_bytes` by dtype, None likewise. `metadata`:
    what a TFLite file tells apps of itself; where it cannot be read, `metadata_damage` says why. `warnings`
    are sentences about what apps may stumble over. `minimums`: the oldest release of each runtime for the
    file. `layout`: the order of the axes of the image that it takes, None where its sizes do not tell."""

    file: str
    format: str
    size_bytes: int
    sha256: str
    made_by: tuple[str, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[OpCount, ...] | None
    parameter_bytes: dict[str, int] | None
    metadata: ModelMetadata | None
    warnings: tuple[str, ...] = ()
    metadata_damage: str = ""
    minimums: tuple[RuntimeMinimum, ...] = ()
    layout: Layout | None = None

    @property
    def macs_by_precision(self) -> dict[str, int]:
        """Multiply-accumulates for one image, the most first."""
        macs: dict[str, int] = {}
        for each in self.ops or ():
            if each.macs:
                macs[each.precision] = macs.get(each.precision, 0) + each.macs
        return dict(sorted(macs.items(), key=lambda item: -item[1]))


Counts = Counter[tuple[str, str]]
"""Of (operation, precision)."""


def counted(counts: Counts, macs: Counts) -> tuple[OpCount, ...]:
    """The rows of a census, those with the most multiply-accumulates first, then the most frequent."""
    rows = [OpCount(op, precision, count, macs[op, precision]) for (op, precision), count in counts.items()]
    return tuple(sorted(rows, key=lambda row: (-row.macs, -row.count, row.op, row.precision)))


def joined(activations: str, weights: str) -> str:
    """The precision of a layer with weights."""
    return activations if activations == weights else f"{activations} x {weights}"


def turned(before: str, after: str) -> str:
    """The precision of an operation without weights."""
    return before if before == after else f"{before} to {after}"
