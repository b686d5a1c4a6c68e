"""Where the activations of an artifact part from the reference's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from resnet_edge.core.explanation import LayerFinding, LayerTrace
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.explanation.input_scale import is_neutral
from resnet_edge.explanation.layers import IMAGE, Grid, Layer, Network, Real
from resnet_edge.explanation.pairs import Pairs
from resnet_edge.explanation.watched import Values

STEEP, POOR = 8.0, 25.0
"""Decibels. A layer that is so much worse than what it reads, and so bad at all, is where things go wrong:
on the 64 good exports of benchmarks/defects.py none is both."""
BIASES = frozenset({"bias_dropped", "bias_shifted", "bias_changed"})
MOVED = 0.25
"""The part of a wrong bias by which the mean of a channel moves at least: a ReLU takes some of it."""
CLIPPED, CUT_OFF, CUT_OFF_AT_END = 30.0, 27.0, 20.0
"""Decibels of the signal over what a grid cuts off: 43 and more on the good exports of
benchmarks/defects.py, and 29.8 on one with confident logits that was calibrated on 198 images and answers
as its model does: the largest logit may be cut off, and wins all the same. Below the first it may explain a
failure, below the second it is one, and below the third in the last layer."""
UNHARMED = 15.0
"""Decibels by which what reads a layer is better than what was cut off of it: then a limit stands between."""


@dataclass
class Sums:
    """Over all images, of one layer and in its channels (C,): of the reference, of the artifact."""

    signal: float = 0.0
    noise: float = 0.0
    clipped: float = 0.0
    n: int = 0
    x: Real = field(default_factory=lambda: np.zeros(1))
    y: Real = field(default_factory=lambda: np.zeros(1))
    xx: Real = field(default_factory=lambda: np.zeros(1))
    xy: Real = field(default_factory=lambda: np.zeros(1))
    yy: Real = field(default_factory=lambda: np.zeros(1))


def summed(
    pairs: Pairs,
    artifact: Network,
    scales: list[Real],
    reference_values: Iterable[Values],
    artifact_values: Iterable[Values],
) -> dict[int, Sums]:
    """By the number of the reference's layer."""
    found: dict[int, Sums] = {}
    for theirs, ours in zip(reference_values, artifact_values, strict=True):
        for number, other in pairs.items():
            if number not in theirs or other not in ours:
                continue
            true, seen = theirs[number], ours[other]
            channels = true.shape[-1] if true.ndim else 1
            if len(scales[number]) in (1, channels):
                true = true * scales[number]
            if true.size != seen.size or (seen.ndim and seen.shape[-1] != channels):
                continue
            grid = artifact.layers[other].grid
            _add(
                found.setdefault(number, Sums()), true.reshape(-1, channels), seen.reshape(-1, channels), grid
            )
    return found


def _add(sums: Sums, true: Real, seen: Real, grid: Grid | None) -> None:
    sums.signal += float(np.square(true).sum())
    sums.noise += float(np.square(true - seen).sum())
    if grid is not None:
        low, high = grid.low, grid.high
        low = min(low, 0.0) if low < 0 else -np.inf  # what a ReLU cuts is no loss
        sums.clipped += float(np.square(true - np.clip(true, low, high)).sum())
    sums.n += len(true)
    for name, value in (("x", true), ("y", seen), ("xx", true**2), ("xy", true * seen), ("yy", seen**2)):
        setattr(sums, name, getattr(sums, name) + value.sum(axis=0))


def traced(
    reference: Network, artifact: Network, pairs: Pairs, sums: dict[int, Sums]
) -> tuple[LayerTrace, ...]:
    """Every layer that both have, in the order of the artifact."""
    noise = {number: decibels(one) for number, one in sums.items()}
    rows = []
    for number, other in sorted(pairs.items(), key=lambda pair: pair[1]):
        if number not in noise:
            continue
        theirs, ours = reference.layers[number], artifact.layers[other]
        rows.append(LayerTrace(ours.name, theirs.name, noise[number], _read(theirs, noise)))
    return tuple(rows)


def _read(layer: Layer, noise: dict[int, float | None]) -> float | None:
    read = [noise.get(number) for number in layer.reads if number != IMAGE]
    return min((value for value in read if value is not None), default=None)


def decibels(one: Sums) -> float | None:
    """Signal over noise; None where something is not finite."""
    if not (np.isfinite(one.signal) and np.isfinite(one.noise)):
        return None
    return sqnr_db(one.signal, one.noise)


def saturated(
    reference: Network, artifact: Network, pairs: Pairs, sums: dict[int, Sums]
) -> Iterator[LayerFinding]:
    """Layers whose grid cuts off what the reference gives, unless what stands behind them does so, too."""
    for number, one in sums.items():
        layer = artifact.layers[pairs[number]]
        if layer.grid is None or one.clipped <= 0 or one.signal <= 0:
            continue
        lost = sqnr_db(one.signal, one.clipped)
        bound = CUT_OFF_AT_END if pairs[number] == len(artifact.layers) - 1 else CUT_OFF
        if lost < CLIPPED and not _unharmed(reference, number, sums, lost):
            sentence = (
                f"{layer.name}: its grid ends at {layer.grid.low:.4g} and {layer.grid.high:.4g} and "
                f"cuts off what "
                f"the reference gives (the signal over what is lost is {lost:.1f} dB): calibrate again"
            )
            yield LayerFinding(layer.name, "", pairs[number], "saturated", sentence, certain=lost < bound)


def _unharmed(reference: Network, number: int, sums: dict[int, Sums], lost: float) -> bool:
    """Whether all layers that read it are much better than what was cut off."""
    readers = [decibels(one) for n, one in sums.items() if number in reference.layers[n].reads]
    return bool(readers) and all(value is not None and value > lost + UNHARMED for value in readers)


def confirmed(
    reference: Network,
    artifact: Network,
    pairs: Pairs,
    scales: list[Real],
    sums: dict[int, Sums],
    found: list[LayerFinding],
) -> list[LayerFinding]:
    """Without what is said of biases of integer layers whose channels have the reference's mean all the same:
    correcting biases is a repair (graph/bias.py; M. Nagel et al., arXiv:1906.04721, section 4.2)."""
    numbers = {other: number for number, other in pairs.items()}
    return [
        f for f in found if f.cause not in BIASES or _shifts(reference, artifact, numbers, scales, sums, f)
    ]


def _shifts(
    reference: Network,
    artifact: Network,
    numbers: dict[int, int],
    scales: list[Real],
    sums: dict[int, Sums],
    finding: LayerFinding,
) -> bool:
    ours, number = artifact.layers[finding.order], numbers.get(finding.order)
    if ours.step is None or number is None or number not in sums:
        return True
    theirs, one = reference.layers[number], sums[number]
    if theirs.bias is None or ours.bias is None or theirs.bias.shape != one.x.shape:
        return True
    apart = np.abs(ours.bias - theirs.bias * scales[number])
    moved = np.abs(one.y - one.x) / one.n
    worst = apart >= 0.5 * apart.max()
    return bool(moved[worst].sum() > MOVED * apart[worst].sum())


def unknown_operations(artifact: Network, pairs: Pairs) -> Iterator[LayerFinding]:
    """What the artifact computes and the reference does not: no proof of an error, since a converter may have
    left apart what another folds."""
    known = set(pairs.values())
    for number, layer in enumerate(artifact.layers):
        if (
            number not in known
            and not is_neutral(layer)
            and layer.kind in ("scale", "shift", "conv", "dense", "depthwise", "pool")
        ):
            sentence = f"{layer.name}: there is an operation ({layer.kind}) that the reference does not have"
            yield LayerFinding(layer.name, "", number, "operation", sentence, certain=False)


def more_operations(reference: Network, artifact: Network) -> Iterator[LayerFinding]:
    """Operations whose constants are not compared, of which there are more than in the reference. Of two
    files of one format: formats have other names for them."""
    known = Counter(each.kind for each in reference.strange)
    for kind, count in Counter(each.kind for each in artifact.strange).items():
        if count > known[kind]:
            name = next(each.name for each in artifact.strange if each.kind == kind)
            text = f"{name}: there is an operation ({kind}) more often than in the reference"
            yield LayerFinding(name, "", -1, "operation", text, certain=False)


def first_divergence(
    reference: Network, artifact: Network, pairs: Pairs, sums: dict[int, Sums]
) -> LayerFinding | None:
    """The layer that adds most of the error, if one does."""
    worst: tuple[float, int] | None = None
    noise = {number: decibels(one) for number, one in sums.items()}
    for number in sorted(sums, key=lambda n: pairs[n]):
        here, before = noise[number], _read(reference.layers[number], noise)
        if here is None:
            return _diverging(reference, artifact, pairs, number, sums[number], 0.0)
        fall = (before if before is not None else 60.0) - here
        if fall > STEEP and here < POOR and (worst is None or fall > worst[0]):
            worst = fall, number
    if worst is None:
        return None
    return _diverging(reference, artifact, pairs, worst[1], sums[worst[1]], worst[0])


def _diverging(
    reference: Network, artifact: Network, pairs: Pairs, number: int, one: Sums, fall: float
) -> LayerFinding:
    theirs, ours = reference.layers[number], artifact.layers[pairs[number]]
    cause, text = _likely(one)
    said = f"{ours.name} parts from {theirs.name.split(';')[0]}"
    said += f" ({fall:.0f} dB worse than what it reads)" if fall else ""
    return LayerFinding(ours.name, theirs.name, pairs[number], cause, f"{said}: {text}", certain=False)


def _likely(one: Sums) -> tuple[str, str]:
    if not np.isfinite(one.noise):
        return "nan", "it gives NaN or infinity"
    spread = one.yy / one.n - (one.y / one.n) ** 2
    true_spread = one.xx / one.n - (one.x / one.n) ** 2
    dead = (spread < 1e-12) & (true_spread > 1e-9)
    if dead.any():
        return "stuck", f"{int(dead.sum())} of {len(dead)} channels always give the same"
    both = one.xy / one.n - (one.x / one.n) * (one.y / one.n)
    slope = np.divide(both, true_spread, out=np.ones_like(both), where=true_spread > 1e-12)
    alike = both / np.sqrt(np.maximum(spread * true_spread, 1e-30))
    if np.median(alike) > 0.98 and abs(np.median(slope) - 1) > 0.02:
        return "rescaled", f"its values are {np.median(slope):.3g} times those of the reference"
    if np.median(alike) > 0.98:
        shift = one.y / one.n - one.x / one.n
        return "shifted", f"its channels are shifted, by up to {np.abs(shift).max():.3g}"
    return "unlike", f"its values correlate by {np.median(alike):.2f} with those of the reference"
