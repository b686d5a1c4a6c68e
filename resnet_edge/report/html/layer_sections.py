"""Sections of a page: where artifacts part from the model, and which step loses how much."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.results.error_growth import ErrorGrowth, LayerError
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.report import words
from resnet_edge.report.causes import (
    KERNELS_HOW,
    TITLE,
    causes_how,
    causes_sentences,
    causes_table,
    kernels_table,
)
from resnet_edge.report.charts import line_plot, svg
from resnet_edge.report.html.elements import figure, listing, reasons, safe, section
from resnet_edge.report.html.table_cards import table_cards

EXPLAINED_TITLE = "Where artifacts part from the model"
TRACE_HOW = (
    "SQNR of the activations of every layer against those of the model's float graph, where layers have a "
    "counterpart; a layer is told in the units of the model, whatever was scaled on the way."
)


def causes_section(found: Sequence[Attribution]) -> str:
    """HTML; nothing where nothing was split."""
    rows = causes_table(found)
    if rows is None:
        return ""
    told = (
        f'<p class="soft">{safe(causes_how(found))}</p>{table_cards(rows)}{listing(causes_sentences(found))}'
    )
    if kernels := kernels_table(found):
        told += f'<p class="soft">{safe(KERNELS_HOW)}</p>{table_cards(kernels)}'
    return section(TITLE, told)


def explained_section(found: Sequence[Explanation], drawn: Sequence[Explanation]) -> str:
    """HTML: what was found in each artifact, and the error of each layer of those that are `drawn`; nothing
    where there is neither."""
    growth = [_growth(each) for each in drawn if any(layer.sqnr_db is not None for layer in each.trace)]
    colours = [*range(len(growth))]
    picture = line_plot.both(growth, colours)
    keys = [
        (svg.legend_marker(css=svg.colour(colour)), each.artifact)
        for each, colour in zip(growth, colours, strict=True)
    ]
    named = [
        (words.printable(each.artifact), [finding.sentence for finding in each.findings])
        for each in found
        if each.findings
    ]
    if not picture:
        return reasons(EXPLAINED_TITLE, named)
    items = "".join(f"<li><strong>{safe(what)}</strong>{listing(why)}</li>" for what, why in named)
    told = f"<ul>{items}</ul>" if items else ""
    return section(EXPLAINED_TITLE, told + figure(keys, picture, TRACE_HOW))


def _growth(found: Explanation) -> ErrorGrowth:
    layers = tuple(LayerError(each.layer, each.sqnr_db, each.read_db, None) for each in found.trace)
    return ErrorGrowth(found.artifact, found.n, layers)
