"""By what factor the channels of an artifact's activations differ from the reference's, where that is no
error.

Cross-layer equalization (graph/equalize.py; M. Nagel et al., arXiv:1906.04721) multiplies a channel where
it is made and divides it where it is read. So each activation has several witnesses of its factors: the
weights and the biases of the layers that make it, and the weights of those that read it. A layer that is
broken is outvoted by the others.
"""

from __future__ import annotations

import warnings

import numpy as np

from resnet_edge.explanation.layers import IMAGE, Layer, Network, Real
from resnet_edge.explanation.pairs import Pairs

SWEEPS = 6
LOUD, LOUD_BIAS = 0.1, 0.02
"""A weight or bias below this share of the largest of its channel, or layer, is no witness: it is too much
rounding; nor is a bias below the second share of the layer's range, of which a repair may change much."""
ANCHORED = 0.1
SAMPLE = 255
"""Weights of a row that are looked at: their median is as good as that of thousands."""
KEEPS = frozenset({"add", "pool", "mean", "shift", "scale"})


def groups_of(network: Network) -> list[int]:
    """For each layer the group of activations that share their factors, by number; the image's is IMAGE."""
    root = {number: number for number in range(len(network.layers))}

    def home(number: int) -> int:
        while number != IMAGE and root[number] != number:
            number = root[number]
        return number

    for number, layer in enumerate(network.layers):
        if layer.kind not in KEEPS:
            continue
        for other in layer.reads:
            if other != IMAGE and network.layers[other].shape[-1:] != layer.shape[-1:]:
                continue  # concatenated or reshaped on the way
            a, b = home(number), home(other)
            if a != b:
                low, high = min(a, b), max(a, b)
                root[high] = low
    return [home(number) for number in range(len(network.layers))]


def factors(
    reference: Network, artifact: Network, pairs: Pairs, doubted: frozenset[int] = frozenset()
) -> list[Real]:
    """Factors (C,) of each layer of the reference: artifact = factor x reference. Layers of the reference
    that are `doubted` are no witnesses."""
    pairs = {number: other for number, other in pairs.items() if number not in doubted}
    homes = groups_of(reference)
    found = {IMAGE: np.ones(1)}
    for number, home in enumerate(homes):
        found.setdefault(home, np.ones(reference.layers[number].shape[-1]))
    fixed = {IMAGE, homes[-1] if homes else IMAGE}
    free = [home for home in found if home not in fixed]
    # Biases first: they alone tell the factor itself, where weights tell what it is beside another.
    for witnesses in ("biases", "makers", *("all",) * SWEEPS):
        for home in free:
            votes = _votes(reference, artifact, pairs, homes, found, home, witnesses)
            found[home] = _median(votes, found[home])
    return [found[home] for home in homes]


def anchored(reference: Network, artifact: Network, pairs: Pairs) -> bool:
    """Whether biases tell the factors of most layers. An untrained network has none that do, and then nobody
    can tell a factor from an error."""
    told = [
        bool(np.isfinite(_bias_ratio(theirs, ours, len(theirs.bias))).mean() > ANCHORED)
        for theirs, ours in ((reference.layers[a], artifact.layers[b]) for a, b in pairs.items())
        if _comparable(theirs, ours) and theirs.bias is not None
    ]
    return bool(told) and sum(told) >= len(told) / 2


def _median(votes: list[Real], before: Real) -> Real:
    if not votes:
        return before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a channel without any witness
        vote = np.nanmedian(np.stack(votes), axis=0)
    return np.where(np.isfinite(vote) & (vote > 0), vote, before)


def _votes(
    reference: Network,
    artifact: Network,
    pairs: Pairs,
    homes: list[int],
    found: dict[int, Real],
    home: int,
    witnesses: str,
) -> list[Real]:
    """What each layer around the activations `home` says of their factors."""
    votes: list[Real] = []
    for number, other in pairs.items():
        theirs, ours = reference.layers[number], artifact.layers[other]
        if not _comparable(theirs, ours):
            continue
        read = homes[theirs.reads[0]] if theirs.reads and theirs.reads[0] != IMAGE else IMAGE
        if homes[number] == home:
            weights, bias = _makers(theirs, ours, found[read], len(found[home]))
            votes += bias
            votes += weights if witnesses != "biases" else []
        if read == home and witnesses == "all":
            votes += _reader(theirs, ours, found[homes[number]], len(found[home]))
    return votes


def _comparable(theirs: Layer, ours: Layer) -> bool:
    return (
        theirs.kind in ("conv", "depthwise", "dense")
        and theirs.weights is not None
        and ours.weights is not None
        and theirs.weights.shape == ours.weights.shape
    )


def _makers(theirs: Layer, ours: Layer, into: Real, size: int) -> tuple[list[Real], list[Real]]:
    """By the weights, and by the biases, of a layer that makes them."""
    assert theirs.weights is not None
    assert ours.weights is not None
    if len(theirs.weights) != size:
        return [], []
    true, seen = theirs.weights, ours.weights
    seen = seen * theirs.over_inputs(into)
    weights, biases = [_median_ratio(seen.reshape(size, -1), true.reshape(size, -1))], []
    if theirs.bias is not None and ours.bias is not None and len(theirs.bias) == size:
        biases.append(_bias_ratio(theirs, ours, size))
    return weights, biases


def _bias_ratio(theirs: Layer, ours: Layer, size: int) -> Real:
    """NaN where a bias is small: rounding and repairs of biases tell more there than the factor."""
    assert theirs.bias is not None
    if ours.bias is None or len(ours.bias) != size:
        return np.full(size, np.nan)
    least = LOUD * np.abs(theirs.bias).max(initial=0)
    if ours.grid is not None:
        least = max(least, LOUD_BIAS * (ours.grid.high - ours.grid.low))
    loud = np.abs(theirs.bias) > least
    found: Real = np.divide(ours.bias, theirs.bias, out=np.full(size, np.nan), where=loud)
    return found


def _reader(theirs: Layer, ours: Layer, out: Real, size: int) -> list[Real]:
    assert theirs.weights is not None
    assert ours.weights is not None
    if theirs.kind == "depthwise" or theirs.weights.shape[3] != size:
        return []
    true = (
        theirs.weights * out.reshape(-1, 1, 1, 1) if len(out) in (1, len(theirs.weights)) else theirs.weights
    )
    rows = np.moveaxis(true, 3, 0).reshape(size, -1), np.moveaxis(ours.weights, 3, 0).reshape(size, -1)
    return [_median_ratio(*rows)]


def _median_ratio(above: Real, below: Real) -> Real:
    """The median of above / below in each row, over what is loud."""
    if below.shape[1] > SAMPLE:
        chosen = np.linspace(0, below.shape[1] - 1, SAMPLE).astype(int)
        above, below = above[:, chosen], below[:, chosen]
    most = np.abs(below).max(axis=1, keepdims=True)
    loud = (np.abs(below) > LOUD * most) & (np.abs(above) > 0)
    ratio = np.divide(above, below, out=np.full(below.shape, np.nan), where=loud)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row of zeros
        found: Real = np.nanmedian(ratio, axis=1)
    return found
