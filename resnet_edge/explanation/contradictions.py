"""What in a file contradicts its reference, whatever the images: constants, options, grids, operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from resnet_edge.core.explanation import LayerFinding
from resnet_edge.explanation.layers import IMAGE, Layer, Network, Real
from resnet_edge.explanation.operations import certain, foreign_operations
from resnet_edge.explanation.options import OPTIONS, wrong_options
from resnet_edge.explanation.pairs import Pairs
from resnet_edge.explanation.scales import anchored, factors
from resnet_edge.explanation.tolerance import Tolerance, tolerance_of
from resnet_edge.explanation.weights import Said, wrong_weights

STALE = 0.5
"""The part of layers with other weights from which on the file is another model's."""


FACTORS = frozenset({"rescaled", "channel_scales", "bias_dropped", "bias_shifted", "bias_changed", "changed"})
MOST_DOUBTED = 4
VECTOR = 0.02
"""Of the largest constant; 1/127 is what rounding to 8 bits takes."""


def contradictions(
    reference: Network, artifact: Network, pairs: Pairs, scheme: str
) -> tuple[list[LayerFinding], list[Real]]:
    """What is wrong, in the order of execution, and the factors between the activations of both.

    A broken layer is a bad witness of these factors, and its neighbours would be accused with it: so the one
    that fits worst is left out, and all are looked at again.
    """
    sure = not _equalizable(artifact) or anchored(reference, artifact, pairs)
    found, scales = _looked_at(reference, artifact, pairs, scheme, frozenset())
    if not sure:
        found = [finding for finding in found if finding.cause not in FACTORS]
    elif _equalizable(artifact):
        found, scales = _without_bad_witnesses(reference, artifact, pairs, scheme, found, scales)
    everything = [*foreign_operations(reference, artifact, pairs, found), *found]
    everything.sort(key=lambda finding: finding.order)
    return _joined(everything), scales


def _without_bad_witnesses(
    reference: Network,
    artifact: Network,
    pairs: Pairs,
    scheme: str,
    found: list[LayerFinding],
    scales: list[Real],
) -> tuple[list[LayerFinding], list[Real]]:
    """What accuses the fewest layers, after those that fit worst are left out one by one. A layer that was
    left out and then fits had no part in it: its factors were made to fit."""
    best, doubted, latest = (found, scales), frozenset[int](), (found, scales)
    for _ in range(MOST_DOUBTED):
        worst = _worst(reference, artifact, pairs, latest[1], latest[0], doubted)
        if worst is None:
            break
        doubted |= {worst}
        latest = _looked_at(reference, artifact, pairs, scheme, doubted)
        accused = {finding.order for finding in latest[0]}
        fewer = len(accused) < len({finding.order for finding in best[0]})
        if fewer and accused.issuperset(pairs[number] for number in doubted):
            best = latest
    return best


def _looked_at(
    reference: Network, artifact: Network, pairs: Pairs, scheme: str, doubted: frozenset[int]
) -> tuple[list[LayerFinding], list[Real]]:
    scales = _scales(reference, artifact, pairs, doubted)
    return list(_accused(reference, artifact, pairs, scheme, scales)), scales


def _accused(
    reference: Network, artifact: Network, pairs: Pairs, scheme: str, scales: list[Real]
) -> Iterator[LayerFinding]:
    for number, other in sorted(pairs.items(), key=lambda pair: pair[1]):
        theirs, ours = reference.layers[number], artifact.layers[other]
        for cause, text in _wrong(theirs, ours, number, scales, scheme):
            yield certain(ours.name, theirs.name, other, cause, f"{ours.name}: {text}")


def _worst(
    reference: Network,
    artifact: Network,
    pairs: Pairs,
    scales: list[Real],
    found: list[LayerFinding],
    doubted: frozenset[int],
) -> int | None:
    """Of the layers that are accused of their constants and were not doubted yet, the one that fits worst."""
    accused = {finding.order for finding in found if finding.cause not in OPTIONS}
    misfits = {}
    for number, other in pairs.items():
        theirs, ours = reference.layers[number], artifact.layers[other]
        if (
            other in accused
            and number not in doubted
            and theirs.weights is not None
            and ours.weights is not None
        ):
            meant = _meant(theirs, number, scales)
            if meant.shape == ours.weights.shape:
                size = max(float(np.linalg.norm(meant)), 1e-30)
                misfits[number] = float(np.linalg.norm(np.nan_to_num(ours.weights) - meant)) / size
    return max(misfits, key=misfits.__getitem__, default=None)


def _equalizable(artifact: Network) -> bool:
    return any(layer.step is not None and layer.grid is not None for layer in artifact.layers)


def _scales(reference: Network, artifact: Network, pairs: Pairs, doubted: frozenset[int]) -> list[Real]:
    """The factors between the activations; 1 where nothing is in integers, and so nothing equalized."""
    if _equalizable(artifact):
        return factors(reference, artifact, pairs, doubted)
    return [np.ones(layer.shape[-1] if layer.shape else 1) for layer in reference.layers]


def _meant(theirs: Layer, number: int, scales: list[Real]) -> Real:
    """What the weights of the artifact's layer ought to be."""
    assert theirs.weights is not None
    into = scales[theirs.reads[0]] if theirs.reads and theirs.reads[0] != IMAGE else np.ones(1)
    out = scales[number]
    if theirs.kind == "scale" or len(out) != len(theirs.weights):
        return theirs.weights
    return theirs.weights * out.reshape(-1, 1, 1, 1) / theirs.over_inputs(into)


def _wrong(theirs: Layer, ours: Layer, number: int, scales: list[Real], scheme: str) -> Iterator[Said]:
    yield from wrong_options(theirs, ours)
    out = scales[number]
    allowed = tolerance_of(scheme, ours)
    if theirs.kind == "scale" and theirs.weights is not None and ours.weights is not None:
        yield from _vector(theirs.weights.ravel(), ours.weights.ravel(), ours, allowed)
    elif theirs.kind == "shift" and theirs.bias is not None and ours.bias is not None:
        yield from _vector(theirs.bias * _fitting(out, theirs.bias), ours.bias, ours, allowed)
    elif (
        theirs.weights is not None and ours.weights is not None and theirs.weights.shape == ours.weights.shape
    ):
        bias = theirs.bias if theirs.bias is not None else np.zeros(len(theirs.weights))
        meant = _meant(theirs, number, scales)
        yield from wrong_weights(meant, bias * _fitting(out, bias), ours, allowed)


def _fitting(factors: Real, vector: Real) -> Real:
    return factors if len(factors) == len(vector) else np.ones(1)


def _vector(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Iterator[Said]:
    """Of what is multiplied or added to each channel."""
    if found.shape != meant.shape:
        return
    if not np.isfinite(found).all():
        yield "nan", "some of its constants are NaN or infinite"
        return
    most = max(float(np.abs(meant).max()), 1e-6)
    apart = float(np.abs(found - meant).max()) / most
    # In integers, one grid of 8 bits holds all channels.
    if apart > (VECTOR if ours.grid is not None else allowed.most):
        verb = "adds" if ours.kind == "shift" else "multiplies with"
        yield "constants", f"what it {verb} is off by up to {100 * apart:.3g} % of the largest"


def _joined(found: list[LayerFinding]) -> list[LayerFinding]:
    """One finding where nearly all weights are others: then the file is another model's."""
    others = {finding.layer for finding in found if finding.cause == "other_weights"}
    if len(others) < 3 or len(others) < STALE * len({f.layer for f in found}):
        return found
    first = next(finding for finding in found if finding.cause == "other_weights")
    sentence = f"{len(others)} layers have other weights: it was made from another model, or another training"
    stale = replace(first, cause="stale", sentence=sentence)
    return [stale, *found]
