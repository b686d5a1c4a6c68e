"""Layers side by side: what each takes in every artifact that was watched, before a single pixel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resnet_edge.core.results.bench import Timing
from resnet_edge.core.results.profile import OperatorTime, short
from resnet_edge.core.roofline import Ceilings
from resnet_edge.report.words import finite


@dataclass(frozen=True)
class LayerRow:
    """One layer; `macs` of one image (0: it multiplies nothing), and `microseconds` in each watched
    artifact (None: it is not there)."""

    name: str
    macs: int
    microseconds: tuple[float | None, ...]

    @property
    def slowest(self) -> float:
        """Microseconds where it takes longest."""
        return max((taken for taken in self.microseconds if taken is not None), default=0.0)


def watched(rows: Iterable[Timing]) -> list[Timing]:
    """The rows that have a profile of their operators."""
    return [row for row in rows if row.profile is not None and row.profile.operators]


def layers(rows: Sequence[Timing]) -> list[LayerRow]:
    """The layers of `watched` rows in the order of execution. What belongs to no layer goes by its kind."""
    order: list[str] = []
    taken: dict[str, dict[int, float]] = {}
    macs: dict[str, int] = {}
    for column, row in enumerate(rows):
        place = 0
        for operator in row.profile.operators if row.profile else ():
            name = _name(operator)
            if name not in taken:  # after what comes before it in this artifact
                order.insert(place, name)
                taken[name] = {}
            # Never back: what belongs to no layer comes again and again.
            place = max(place, order.index(name) + 1)
            taken[name][column] = taken[name].get(column, 0.0) + operator.microseconds
            macs[name] = max(macs.get(name, 0), operator.macs)
    columns = range(len(rows))
    return [
        LayerRow(name, macs[name], tuple(taken[name].get(column) for column in columns)) for name in order
    ]


def _name(operator: OperatorTime) -> str:
    return short(operator.layer) or f"({operator.kind})"


def slowest_layers(layer_rows: Sequence[LayerRow], most: int) -> tuple[list[LayerRow], int]:
    """At most so many, those that take longest anywhere, still in the order of execution; and how many
    are left out."""
    kept = {id(layer) for layer in sorted(layer_rows, key=lambda layer: -layer.slowest)[:most]}
    return [layer for layer in layer_rows if id(layer) in kept], len(layer_rows) - len(kept)


def gmacs(layer: LayerRow, microseconds: float | None, batch: int) -> float | None:
    """Billions of multiply-accumulates a second; None where there are none."""
    if not layer.macs or microseconds is None or not finite(microseconds) or microseconds <= 0:
        return None
    return layer.macs * batch / microseconds / 1000


def ceiling_of(row: Timing, ceilings: Ceilings | None) -> float | None:
    """What the layers of an artifact can reach at most, in billions a second; None where that is not
    known, or where some of them compute in integers and some in float."""
    work = None if row.roofline is None else row.roofline.work
    if ceilings is None or work is None or bool(work.float_macs) == bool(work.int8_macs):
        return None
    return ceilings.float_gmacs if work.float_macs else ceilings.int8_gmacs
