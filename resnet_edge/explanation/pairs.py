"""Which layer of the artifact is which of the reference."""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np

from resnet_edge.explanation.layers import WEIGHTED, Layer, Network

Pairs = dict[int, int]
"""Layers of the reference, by number, to those of the artifact."""
ALIKE = 0.5
"""Correlation of weights above which two layers are taken for the same one, against their order."""


def pair(reference: Network, artifact: Network) -> Pairs:
    """By what layers are, in their order; among layers of one kind and size, by their weights."""
    theirs = [_key(layer) for layer in reference.layers]
    ours = [_key(layer) for layer in artifact.layers]
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    found: Pairs = {}
    for block in matcher.get_matching_blocks():
        found |= {block.a + i: block.b + i for i in range(block.size)}
    _left_over(theirs, ours, found)
    _exchange(reference, artifact, theirs, found)
    return found


def _key(layer: Layer) -> tuple[object, ...]:
    shape = layer.shape if len(layer.shape) == 1 or set(layer.shape[:-1]) != {1} else layer.shape[-1:]
    weights = layer.weights
    known = None if weights is None else weights.shape
    return layer.kind, shape, known if layer.kind in ("conv", "depthwise", "dense") else None


def _left_over(theirs: list[tuple[object, ...]], ours: list[tuple[object, ...]], found: Pairs) -> None:
    """Branches may come in another order: what is left goes together in its order, at last whatever the shape
    of the weights."""
    taken = set(found.values())
    for size in (3, 2):
        for a, key in enumerate(theirs):
            if a in found:
                continue
            b = next((b for b, k in enumerate(ours) if b not in taken and k[:size] == key[:size]), None)
            if b is not None:
                found[a] = b
                taken.add(b)


def _exchange(reference: Network, artifact: Network, theirs: list[tuple[object, ...]], found: Pairs) -> None:
    """Put layers of one key in the order of their weights, where that says clearly another."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, key in enumerate(theirs):
        if number in found and key[2] is not None:
            groups.setdefault(key, []).append(number)
    for members in groups.values():
        if len(members) < 2:
            continue
        alike = np.array(
            [[_alike(reference.layers[a], artifact.layers[found[b]]) for b in members] for a in members]
        )
        partners = [found[b] for b in members]
        wanted = alike.argmax(axis=1)
        if len(set(wanted)) == len(members) and (alike.max(axis=1) > ALIKE).all():
            found.update({a: partners[column] for a, column in zip(members, wanted, strict=True)})


def _alike(a: Layer, b: Layer) -> float:
    if a.kind not in WEIGHTED or a.weights is None or b.weights is None or a.weights.shape != b.weights.shape:
        return 0.0
    x, y = np.nan_to_num(a.weights.ravel()), np.nan_to_num(b.weights.ravel())
    length = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / length if length else 0.0


def alike(reference: Network, artifact: Network, pairs: Pairs, number: int) -> bool:
    """Whether a layer of the reference has a partner whose weights can be compared with its own."""
    theirs = reference.layers[number].weights
    ours = artifact.layers[pairs[number]].weights if number in pairs else None
    return theirs is not None and ours is not None and theirs.shape == ours.shape
