"""What is probably wrong with a section that departs, in a word for programs and a sentence for people.

Nothing here decides whether a file is good: a layer was found to depart before it is asked why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.departures import Departure, DepartureSums
from resnet_edge.diagnosis.layers.steps import LayerStep, Real

Named = tuple[str, str]
LISTED = 6
ALIKE, UNLIKE = 0.98, 0.5
"""Cosines and correlations: the same but for its size; something else."""
BORDER = 10.0
"""An error so many times as strong at the border as inside is one of padding."""
MEANS = frozenset({"mean", "reducemean", "globalaveragepool", "average_pool_2d", "averagepool"})
RANDOM = frozenset({"dropout", "random_uniform", "random_standard_normal", "randomuniform", "bernoulli"})
"""At inference a dropout is no operation, or gives what it reads: then nothing departs."""
REORDERS = frozenset({"reverse_v2", "gather", "transpose", "tile"})
"""Operations that move values, and give what a layer behind them cannot."""
ROUNDED = frozenset({"floor", "ceil", "round", "trunc", "sign"})
"""What leaves steps of a number, which no way of writing a layer does."""
STOPS = frozenset({"relu", "relu6", "clip", "min", "minimum", "relu_0_to_1", "relu_n1_to_1"})
LARGEST = frozenset({"reduce_max", "reducemax", "globalmaxpool", "max_pool_2d", "maxpool"})


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Of a section: the reference's operation and the artifact's, what was expected and seen on some images
    (N, H, W, C) or (N, C), and the sums over all of them. `oddity` is a remark on a constant in it."""

    theirs: LayerStep | None
    ours: LayerStep
    departure: Departure
    sums: DepartureSums
    expected: NDArray[np.float32]
    seen: NDArray[np.float32]
    oddity: str = ""
    foreign: tuple[str, ...] = ()
    """Operations of the section that the reference's has not, in a file of the same format."""
    operations: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    """All of the reference's section, and of the artifact's."""


def cause(evidence: Evidence) -> Named:
    """The first that fits."""
    for look in LOOKS:
        if (named := look(evidence)) is not None:
            return named
    alike = _correlation(evidence)
    return "unlike", f"its values correlate by {alike:.2f} with what the reference's layer gives on its input"


NAMED_BY_OPERATION = frozenset({"operation", "pooling", "dropout", "softmax_twice", "nan", "two_scales"})
"""Causes that have an operation of their own."""


def target(word: str, section: Sequence[LayerStep], theirs: frozenset[str]) -> LayerStep | None:
    """The operation of a section that is at fault by such a cause, where that is not its layer; `theirs` are
    those of the reference's section."""
    sought: dict[str, frozenset[str]] = {
        "operation": (ROUNDED | REORDERS) - theirs,
        "pooling": MEANS | LARGEST,
        "dropout": RANDOM,
        "activation_early": STOPS,
    }
    matching = [step for step in section if step.op in sought.get(word, frozenset())]
    return matching[-1 if word == "activation_early" else 0] if matching else None


def _rounded(evidence: Evidence) -> Named | None:
    theirs, ours = evidence.operations
    if not (rounding := sorted(ours & ROUNDED - theirs)):
        return None
    return "operation", f"it is an operation ({rounding[0]}) that the reference has not"


def _foreign(evidence: Evidence) -> Named | None:
    if not evidence.foreign:
        return None
    return "operation", f"it is an operation ({evidence.foreign[0]}) that the reference has not"


def _not_finite(evidence: Evidence) -> Named | None:
    weights = evidence.ours.weights
    if weights is not None and (bad := int((~np.isfinite(weights.kernel)).sum())):
        return "nan", f"{bad} of its weights are NaN or infinite"
    return ("nan", "it gives NaN or infinity") if evidence.departure.kind == "nan" else None


def _oddity(evidence: Evidence) -> Named | None:
    return ("two_scales", evidence.oddity) if evidence.oddity else None


def _softmax_twice(evidence: Evidence) -> Named | None:
    expected, seen = (x.astype(np.float64) for x in (evidence.expected, evidence.seen))
    if expected.ndim != 2 or (expected < 0).any() or not np.allclose(expected.sum(axis=1), 1, atol=1e-2):
        return None
    again = np.exp(expected - expected.max(axis=1, keepdims=True))
    again /= again.sum(axis=1, keepdims=True)
    if float(np.square(seen - again).sum()) > float(np.square(seen - expected).sum()) / BORDER:
        return None
    return "softmax_twice", "it is a softmax of what is a softmax already"


def _pooling(evidence: Evidence) -> Named | None:
    theirs, ours = ((bool(MEANS & ops), bool(LARGEST & ops)) for ops in evidence.operations)
    if (theirs, ours) == ((True, False), (False, True)):
        return "pooling", "it takes the largest value where the reference takes the mean"
    if (theirs, ours) == ((False, True), (True, False)):
        return "pooling", "it takes the mean where the reference takes the largest value"
    return None


def _dropout(evidence: Evidence) -> Named | None:
    if not evidence.operations[1] & RANDOM:
        return None
    return "dropout", "what it reads is drawn by chance: a dropout is left on"


def _window(evidence: Evidence) -> Named | None:
    theirs, ours = (step.window if step is not None else "" for step in (evidence.theirs, evidence.ours))
    if not theirs or not ours or theirs == ours or not _same_kernels(evidence):
        return None
    word = "stride" if theirs.split(",")[0] != ours.split(",")[0] else "dilation"
    return word, f"it has {ours}, and the reference {theirs}"


def _same_kernels(evidence: Evidence) -> bool:
    kernels = _kernels(evidence)
    return kernels is not None and _alike(*kernels) > ALIKE


def _kernels(evidence: Evidence) -> tuple[Real, Real] | None:
    """The reference's, and the artifact's, where they have one shape."""
    theirs = evidence.theirs.weights if evidence.theirs is not None else None
    ours = evidence.ours.weights
    if theirs is None or ours is None or theirs.kernel.shape != ours.kernel.shape:
        return None
    return theirs.kernel, ours.kernel


def _alike(meant: Real, stored: Real) -> float:
    """The mean cosine of the outputs' weights, whatever each is scaled by."""
    a, b = (x.reshape(len(x), -1) for x in (meant, stored))
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    live = length > 0
    return float(((a * b).sum(axis=1)[live] / length[live]).mean()) if live.any() else 0.0


def _weights(evidence: Evidence) -> Named | None:
    kernels = _kernels(evidence)
    if kernels is None:
        return None
    meant, stored = kernels
    plain = _alike(meant, stored)
    best = max(_rewritings(meant, stored), key=lambda one: _alike(one[2], stored), default=None)
    if best is not None and _alike(best[2], stored) > max(plain + (1 - plain) / 2, UNLIKE):
        return best[0], best[1]
    if (silent := _silent(meant, stored)).size:
        return "stuck", f"its output channels {listed(silent)} have no weights: they always give the same"
    if plain < UNLIKE:
        return "other_weights", "its weights are others altogether: was it made from this model?"
    if (levels := _levels(stored)) < min(stored[0].size, 64) // 2:
        return (
            "few_levels",
            f"its weights have {levels} levels in each channel: they were cut to too few bits",
        )
    if plain < ALIKE:
        return "changed", f"its weights are not the reference's (their cosine is {plain:.3f})"
    return _gain(meant, stored, evidence.departure.channels)


def _gain(meant: Real, stored: Real, departing: Sequence[int]) -> Named | None:
    """All outputs' weights scaled alike, by more than they are by themselves, or those of a few."""
    a, b = (x.reshape(len(x), -1) for x in (meant, stored))
    live = np.abs(a).any(axis=1)
    gains = (a * b).sum(axis=1)[live] / np.square(a).sum(axis=1)[live]
    whole, usual = float(np.median(gains)), float(np.median(np.abs(gains - np.median(gains))))
    few = [row for row in np.flatnonzero(live)[np.abs(gains - 1) > BORDER * usual + 1e-4] if row in departing]
    apart = len(few) == len(departing) < len(gains)  # what departs, and not all of the layer
    if (whole - 1) ** 2 > usual**2 + 1e-9 and not apart:
        return "rescaled", f"its weights are {whole:.4g} times those of the reference"
    if few and apart:
        return "rescaled", f"the weights of its output channels {listed(few)} are rescaled"
    return None


def _rewritings(meant: Real, stored: Real) -> Iterator[tuple[str, str, Real]]:
    """Cause, sentence and the reference's weights in another order."""
    for axis, word, text in (
        (0, "output_channels", "its output channels {} are in another order"),
        (3, "input_channels", "its input channels {} are in another order (RGB and BGR?)"),
    ):
        order = _matches(np.moveaxis(stored, axis, 0), np.moveaxis(meant, axis, 0))
        if order is not None:
            moved = np.flatnonzero(order != np.arange(len(order)))
            yield word, text.format(listed(moved)), np.take(meant, order, axis)
    ways: dict[str, Callable[[Real], Real]] = {
        "transposed (height and width exchanged)": lambda w: w.swapaxes(1, 2),
        "flipped upside down": lambda w: w[:, ::-1],
        "flipped left to right": lambda w: w[:, :, ::-1],
        "turned by 180 degrees": lambda w: w[:, ::-1, ::-1],
        "transposed (inputs and outputs exchanged)": lambda w: w.swapaxes(0, 3),
    }
    for name, turn in ways.items():
        if turn(meant).shape == stored.shape:
            yield "turned", f"its kernel is {name}", turn(meant)


def _matches(stored: Real, meant: Real) -> NDArray[np.intp] | None:
    """The row of `meant` that each row of `stored` is most alike; None where that is no reordering."""
    a, b = (x.reshape(len(x), -1) for x in (stored, meant))
    a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30) for x in (a, b))
    order = (a @ b.T).argmax(axis=1)
    same = len(set(order.tolist())) == len(order)
    return order if same and (order != np.arange(len(order))).any() else None


def _silent(meant: Real, stored: Real) -> NDArray[np.intp]:
    zero, live = (np.abs(x).reshape(len(x), -1).any(axis=1) for x in (stored, meant))
    return np.flatnonzero(~zero & live)


def _levels(stored: Real) -> int:
    return max(len(np.unique(row)) for row in stored.reshape(len(stored), -1))


def _bias(evidence: Evidence) -> Named | None:
    """Where means are off, and what is left is not."""
    sums = evidence.sums
    moved = np.abs(sums.shift)
    rest = np.sqrt(np.maximum(sums.error - sums.shift**2, 0))
    scaled = sums.error - np.square(sums.products - sums.power) / np.maximum(sums.power, 1e-30)
    off = list(evidence.departure.channels)
    better = np.sqrt(np.maximum(scaled, 0)) < rest  # a factor explains more than a summand
    if evidence.departure.kind != "shift" or (rest > moved)[off].all() or better[off].all():
        return None
    theirs = evidence.theirs.weights if evidence.theirs is not None else None
    ours = evidence.ours.weights
    if theirs is not None and theirs.bias is not None and ours is not None:
        mine = ours.bias.values.ravel() if ours.bias is not None else np.zeros(1)
        if not mine.any() and theirs.bias.values.any():
            return "bias_dropped", "its bias is missing"
        if len(mine) == len(moved) and not mine[off].any() and theirs.bias.values.ravel()[off].all():
            return "bias_dropped", f"the biases of its output channels {listed(off)} are missing"
    if np.ptp(sums.shift) < 0.1 * moved.max():
        return "bias_shifted", f"all its channels are shifted by {sums.shift.mean():.4g}"
    channels = listed(evidence.departure.channels)
    return "bias_changed", f"its channels {channels} are shifted, by up to {moved.max():.4g}"


def _border(evidence: Evidence) -> Named | None:
    error = np.square(evidence.seen - evidence.expected, dtype=np.float64)
    if error.ndim != 4 or min(error.shape[1:3]) < 3:
        return None
    inside = float(error[:, 1:-1, 1:-1].mean())
    size = error.shape[1] * error.shape[2]
    edge = size - (error.shape[1] - 2) * (error.shape[2] - 2)
    border = (float(error.mean()) * size - inside * (size - edge)) / edge
    if border > BORDER * inside:
        return "padding", "it is off at the border of the image and not inside: it is padded in another way"
    return None


def _activation(evidence: Evidence) -> Named | None:
    expected, seen = evidence.expected.astype(np.float64), evidence.seen.astype(np.float64)
    error = float(np.square(seen - expected).sum())
    end = float(expected.max())
    if (seen > end).any() and float(np.square(np.minimum(seen, end) - expected).sum()) < error / BORDER:
        return "activation_missing", f"it gives numbers above {end:g}, where the reference stops"
    end = float(seen.max())
    if (expected > end).any() and float(np.square(seen - np.minimum(expected, end)).sum()) < error / BORDER:
        return "activation_early", f"it gives nothing above {end:g}, where the reference goes on"
    for word, text, one, other in (
        ("activation_added", "it has a ReLU that the reference does not have", expected, seen),
        ("activation_missing", "its ReLU is missing: it gives numbers below zero", seen, expected),
    ):
        cut = np.maximum(one, 0)
        if (one < 0).any() and float(np.square(cut - other).sum()) < error / BORDER:
            return word, text
    return None


def _order(evidence: Evidence) -> Named | None:
    """Channels that are those of others, where weights do not tell."""
    columns = [x.reshape(-1, x.shape[-1]) for x in (evidence.expected, evidence.seen)]
    a, b = (x - x.mean(axis=0) for x in columns)
    order = _matches(b.T, a.T)
    if order is None or _correlation(evidence) > ALIKE:
        return None
    moved = a[:, order]
    length = float(np.linalg.norm(moved) * np.linalg.norm(b))
    if length and float((moved * b).sum()) / length > ALIKE:
        changed = np.flatnonzero(order != np.arange(len(order)))
        return "output_channels", f"its channels {listed(changed)} are in another order"
    return None


def _correlation(evidence: Evidence) -> float:
    a, b = (x.astype(np.float64).ravel() for x in (evidence.expected, evidence.seen))
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0


def _size(evidence: Evidence) -> Named | None:
    if _correlation(evidence) < ALIKE:
        return None
    power = np.maximum(evidence.sums.power, 1e-30)
    factors = evidence.sums.products / power
    loud = power > 1e-3 * power.max()
    if not loud.any():
        return None
    whole = 1 + min(evidence.sums.slopes, key=abs)
    usual = float(np.median(factors[loud]))
    off = np.flatnonzero(
        loud & (np.abs(factors - usual) > BORDER * np.median(np.abs(factors[loud] - usual)) + 1e-3)
    )
    if 0 < len(off) <= loud.sum() / 4:
        return "rescaled", f"what its output channels {listed(off)} give is rescaled"
    if np.ptp(factors[loud]) > 2 * abs(whole - 1) and len(factors[loud]) > 1:
        ends = f"{factors[loud].min():.3g} to {factors[loud].max():.3g}"
        return "channel_scales", f"its channels are scaled by factors of their own ({ends})"
    return "rescaled", f"its values are {whole:.4g} times what the reference's layer gives on its input"


def _moved(evidence: Evidence) -> Named | None:
    """The weights of a kernel that moves are right, and what comes out is not."""
    if evidence.expected.ndim != 4 or not _same_kernels(evidence) or _correlation(evidence) > ALIKE:
        return None
    return (
        "padding",
        "its weights are the reference's, and what it gives is not: its kernel moves over its image in "
        "another way (padding?)",
    )


LOOKS = (
    *(_not_finite, _oddity, _softmax_twice, _pooling, _dropout, _rounded, _foreign),
    *(_window, _activation, _weights),
    *(_bias, _border, _order, _moved, _size),
)


def listed(numbers: Sequence[int] | NDArray[np.intp]) -> str:
    """The first of them, for a sentence."""
    shown = ", ".join(str(int(number)) for number in numbers[:LISTED])
    return shown if len(numbers) <= LISTED else f"{shown} and {len(numbers) - LISTED} more"
