"""Layer by layer in the report of a bench: bars side by side, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.roofline import Ceilings
from resnet_edge.report import words
from resnet_edge.report.bench_words import name_of
from resnet_edge.report.blocks import Block, Cell, Figure, Paragraph, TextTable
from resnet_edge.report.charts import layer_bars, svg
from resnet_edge.report.charts.bench_chart import scheme_of
from resnet_edge.report.charts.bench_layers import (
    LayerRow,
    ceiling_of,
    gmacs,
    layers,
    slowest_layers,
    watched,
)
from resnet_edge.report.charts.layer_bars import Column, LayerBars
from resnet_edge.report.charts.scheme_colours import bar_styles

SHOWN = 40
"""Layers; --json has all."""
BESIDE = 4
"""Artifacts in one picture and one table: more do not fit a page."""
MOST_LETTERS = 50
"""Of a column's title."""
HOW = (
    "Under a number of microseconds: its share of all, billions of multiply-accumulates a second, and how "
    "much that is of what the cores can do at most."
)
CAPTION = (
    "Microseconds of one call, in the order of execution. Watching costs time: shares hold, sums do not. "
    "A bar with an arrow goes on."
)


def layer_blocks(bench: Bench, rows: Sequence[Timing], model: str) -> Iterator[Block]:
    """Pictures, each with its table; nothing where no operators were watched."""
    seen = watched(rows)
    if not seen:
        return
    shown, more = slowest_layers(layers(seen), SHOWN)
    caption = f"{CAPTION} {words.count(more, 'quicker layer')} more with --json." if more else CAPTION
    pictures = -(-len(seen) // BESIDE)
    for number in range(pictures):  # as many in each as can be
        some = range(number * len(seen) // pictures, (number + 1) * len(seen) // pictures)
        yield from _beside([seen[i] for i in some], _columns(shown, some), bench.ceilings, model, caption)


def _columns(shown: Sequence[LayerRow], some: range) -> list[LayerRow]:
    """The layers as some of the artifacts have them."""
    rows = (LayerRow(x.name, x.macs, tuple(x.microseconds[i] for i in some)) for x in shown)
    return [layer for layer in rows if any(taken is not None for taken in layer.microseconds)]


def _beside(
    rows: Sequence[Timing], shown: Sequence[LayerRow], ceilings: Ceilings | None, model: str, caption: str
) -> Iterator[Block]:
    names = [words.printable(name_of(row, model)) for row in rows]
    columns = tuple(
        Column(name, words.printable(f"{row.backend} {row.device}"), style)
        for name, row, style in zip(names, rows, bar_styles(map(scheme_of, rows)), strict=True)
    )
    spelled = tuple(LayerRow(words.printable(x.name), x.macs, x.microseconds) for x in shown)
    keys = [(svg.legend_marker(1, c.style), f"{c.name} on {c.place}") for c in columns]
    yield Figure(layer_bars.both(LayerBars(columns, spelled)), keys, caption)
    yield Paragraph(HOW)
    short = (words.shortened(f"{column.name}, {column.place}", MOST_LETTERS) for column in columns)
    header = ("Layer", "MACs", *short)
    yield TextTable(header, tuple(_cells(layer, rows, ceilings) for layer in shown), range(1, len(header)))


def _cells(layer: LayerRow, rows: Sequence[Timing], ceilings: Ceilings | None) -> tuple[Cell, ...]:
    return (
        layer.name,
        words.quantity(layer.macs) if layer.macs else words.ABSENT,
        *(_cell(layer, taken, row, ceilings) for taken, row in zip(layer.microseconds, rows, strict=True)),
    )


def _cell(layer: LayerRow, taken: float | None, row: Timing, ceilings: Ceilings | None) -> Cell:
    if taken is None or row.profile is None:
        return words.ABSENT
    parts = [f"{taken / row.profile.microseconds:.1%}"] if row.profile.microseconds else []
    rate, ceiling = gmacs(layer, taken, row.batch), ceiling_of(row, ceilings)
    if rate is not None:
        parts.append(f"{rate:.1f} G/s")
        parts += [f"{rate / ceiling:.0%}"] if ceiling else []
    return f"{taken:.1f} µs", " · ".join(parts)
