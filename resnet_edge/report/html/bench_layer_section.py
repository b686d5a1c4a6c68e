"""Layer by layer on the page of a bench: bars side by side, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.roofline import Ceilings
from resnet_edge.report import words
from resnet_edge.report.bench_words import name_of
from resnet_edge.report.charts import layer_bars, svg
from resnet_edge.report.charts.bench_layers import (
    LayerRow,
    ceiling_of,
    gmacs,
    layers,
    slowest_layers,
    watched,
)
from resnet_edge.report.charts.layer_bars import Column, LayerBars
from resnet_edge.report.html.elements import figure, over, safe, section, table

SHOWN = 40
"""Layers; --json has all."""
BESIDE = 4
"""Artifacts in one picture and one table: more do not fit a page."""
MOST_LETTERS = 50
"""Of a column's title."""
CAPTION = (
    "Microseconds of one call, in the order of execution. Watching costs time: shares hold, sums do not. "
    "A bar with an arrow goes on."
)


def layer_section(found: Bench, rows: Sequence[Timing], model: str) -> str:
    """The section; nothing where no operators were watched."""
    seen = watched(rows)
    if not seen:
        return ""
    shown, more = slowest_layers(layers(seen), SHOWN)
    caption = f"{CAPTION} {words.count(more, 'quicker layer')} more with --json." if more else CAPTION
    parts = []
    pictures = -(-len(seen) // BESIDE)
    for number in range(pictures):  # as many in each as can be
        some = range(number * len(seen) // pictures, (number + 1) * len(seen) // pictures)
        parts.append(_beside([seen[i] for i in some], _columns(shown, some), found.ceilings, model, caption))
    return section("Layer by layer", "\n".join(parts))


def _columns(shown: Sequence[LayerRow], some: range) -> list[LayerRow]:
    """The layers as some of the artifacts have them."""
    found = (LayerRow(x.name, x.macs, tuple(x.microseconds[i] for i in some)) for x in shown)
    return [layer for layer in found if any(taken is not None for taken in layer.microseconds)]


def _beside(
    rows: Sequence[Timing], shown: Sequence[LayerRow], ceilings: Ceilings | None, model: str, caption: str
) -> str:
    names = [words.printable(name_of(row, model)) for row in rows]
    columns = tuple(
        Column(name, words.printable(f"{row.backend} {row.device}"), n)
        for n, (name, row) in enumerate(zip(names, rows, strict=True))
    )
    spelled = tuple(LayerRow(words.printable(x.name), x.macs, x.microseconds) for x in shown)
    keys = [(svg.legend_marker(1, svg.colour(c.colour)), f"{c.name} on {c.place}") for c in columns]
    picture = figure(keys, layer_bars.both(LayerBars(columns, spelled)), caption)
    short = (words.shortened(f"{column.name}, {column.place}", MOST_LETTERS) for column in columns)
    header = ("Layer", "MACs", *short)
    body = [_cells(layer, rows, ceilings) for layer in shown]
    told = table(header, body, range(1, len(header)))
    how = "Under a number of microseconds: its share of all, billions of multiply-accumulates a second, and "
    how += "how much that is of what the cores can do at most."
    return f'{picture}\n<p class="soft">{safe(how)}</p>{told}'


def _cells(layer: LayerRow, rows: Sequence[Timing], ceilings: Ceilings | None) -> list[str]:
    return [
        safe(layer.name),
        words.quantity(layer.macs) if layer.macs else words.ABSENT,
        *(_cell(layer, taken, row, ceilings) for taken, row in zip(layer.microseconds, rows, strict=True)),
    ]


def _cell(layer: LayerRow, taken: float | None, row: Timing, ceilings: Ceilings | None) -> str:
    if taken is None or row.profile is None:
        return words.ABSENT
    parts = [f"{taken / row.profile.microseconds:.1%}"] if row.profile.microseconds else []
    rate, ceiling = gmacs(layer, taken, row.batch), ceiling_of(row, ceilings)
    if rate is not None:
        parts.append(f"{rate:.1f} G/s")
        parts += [f"{rate / ceiling:.0%}"] if ceiling else []
    return over(f"{taken:.1f} µs", " · ".join(parts))
