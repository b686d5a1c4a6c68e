"""What pruning did layer by layer, as tables of words for every writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import Step
from resnet_edge.report import words
from resnet_edge.report.blocks import TextTable

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class _Zeros:
    """As `prune --method magnitude` writes one of `layers` into the details of its step."""

    name: str
    weights: int
    zeros: int


@dataclass(frozen=True)
class _Channels:
    """As `prune --method channel` writes one of `groups`: layers that must have the same channels."""

    layers: list[str]
    before: int
    after: int
    reason: str | None = None


def layer_tables(report: Report) -> list[tuple[str, TextTable]]:
    """A title and a table for each step of the model's lineage that changed layers one by one.

    Details that are not of the form that we write (a sidecar is a file of the user's) are passed over.
    """
    return [table for step in report.history for table in _of(step)]


def _of(step: Step) -> Iterator[tuple[str, TextTable]]:
    title = f"{step.step}: {step.title}"
    if layers := _read(step, "layers", _Zeros):
        yield title, _zeros(layers)
    if groups := _read(step, "groups", _Channels):
        yield title, _channels(groups)


def _read(step: Step, key: str, kind: type[_Kind]) -> list[_Kind]:
    try:
        entries = step.details.get(key, [])
        return msgspec.convert(entries, type=list[kind])  # type: ignore[valid-type]  # a type that is a value
    except msgspec.ValidationError:
        return []


def _zeros(layers: list[_Zeros]) -> TextTable:
    total = _Zeros("all of these", sum(x.weights for x in layers), sum(x.zeros for x in layers))
    body = tuple(
        (
            layer.name,
            words.quantity(layer.weights),
            words.quantity(layer.zeros),
            f"{100 * layer.zeros / max(layer.weights, 1):.1f} %",
        )
        for layer in (*layers, total)
    )
    return TextTable(("Layer", "Weights", "Zeros", "Sparsity"), body, range(1, 4))


def _channels(groups: list[_Channels]) -> TextTable:
    body = tuple(
        (
            ", ".join(group.layers),
            str(group.before),
            str(group.after),
            _why(group),
        )
        for group in groups
    )
    return TextTable(("Layers", "Channels", "Left", "Why"), body, range(1, 3))


def _why(group: _Channels) -> str:
    if group.after == 0:
        return "its block is removed"
    return group.reason or ("" if group.after < group.before else "all are worth their cost")
