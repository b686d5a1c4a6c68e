"""How errors grow from layer to layer, in words: what falls most, and the layers behind it."""

from __future__ import annotations

from resnet_edge.core.results.error_growth import ErrorGrowth, LayerError
from resnet_edge.core.results.profile import short
from resnet_edge.core.results.report import Report
from resnet_edge.report import words
from resnet_edge.report.blocks import TextTable

SHARP_DB = 3.0
"""A fall that is told in a sentence: the noise is twice what it was before the layer."""
WORST = 5
HOW = (
    "SQNR of the activations of every layer against those of the float graph, in LiteRT. Fall: how much "
    "worse than the worst that the layer reads, so what the layer itself adds. Error: root mean square, in "
    "steps of its own grid."
)
HEADER = ("Artifact", "Layer", "SQNR read", "SQNR given", "Fall", "Error, steps")


def layer_title(layer: LayerError) -> str:
    """A layer's name, short and safe to print."""
    return words.printable(short(layer.layer))


def worst(growth: ErrorGrowth) -> list[LayerError]:
    """The layers that add most of the error, the worst first."""
    falling = [layer for layer in growth.layers if _fall(layer) > 0]
    return sorted(falling, key=lambda layer: -_fall(layer))[:WORST]


def _fall(layer: LayerError) -> float:
    return layer.fall_db if words.finite(layer.fall_db) else 0.0


def growth_sentences(report: Report) -> list[str]:
    """A sentence for each artifact: where it begins and ends, and where it falls sharply."""
    return [_sentence(growth) for growth in report.error_growth if growth.layers]


def _sentence(growth: ErrorGrowth) -> str:
    first, last = growth.layers[0], growth.layers[-1]
    sentence = f"{words.printable(growth.artifact)}: {_db(first.sqnr_db)} behind {layer_title(first)}, "
    sentence += f"{_db(last.sqnr_db)} at the end, on {words.count(growth.n, 'image')}"
    lost = [layer_title(layer) for layer in growth.layers if layer.sqnr_db is None]
    if lost:
        return f"{sentence}; there is no finite number in {_some(lost)}."
    steepest = next(iter(worst(growth)), None)
    if steepest is None or _fall(steepest) < SHARP_DB:
        return f"{sentence}; no layer loses {SHARP_DB:g} dB of what it reads."
    fall = f"from {_db(steepest.read_db)} to {_db(steepest.sqnr_db)}"
    return f"{sentence}; the largest fall is at {layer_title(steepest)}, {fall}."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - WORST} more" if len(names) > WORST else ""
    return ", ".join(names[:WORST]) + more


def growth_table(report: Report) -> TextTable | None:
    """The worst layers of every artifact; None where no errors were measured."""
    body = tuple(_row(growth, layer) for growth in report.error_growth for layer in worst(growth))
    return TextTable(HEADER, body, range(2, 6), names=range(1)) if body else None


def _row(growth: ErrorGrowth, layer: LayerError) -> tuple[str, ...]:
    steps = f"{layer.steps:.2f}" if words.finite(layer.steps) else words.ABSENT
    return (
        growth.artifact,
        layer_title(layer),
        _db(layer.read_db),
        _db(layer.sqnr_db),
        _db(layer.fall_db),
        steps,
    )


def _db(value: float | None) -> str:
    return words.decibels(value)
