"""What a file does that its reference does not, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from resnet_edge.core.explanation import LayerFinding
from resnet_edge.explanation.input_scale import is_neutral
from resnet_edge.explanation.layers import IMAGE, Network
from resnet_edge.explanation.pairs import Pairs


def foreign_operations(
    reference: Network, artifact: Network, pairs: Pairs, found: Sequence[LayerFinding]
) -> Iterator[LayerFinding]:
    """Beside what was `found` of the layers that both have."""
    yield from _odd(artifact)
    yield from _strange(reference, artifact)
    yield from _one_step(artifact)
    yield from _before_the_first(artifact, pairs, found)


def certain(name: str, other: str, order: int, cause: str, sentence: str) -> LayerFinding:
    """A finding that no images can refute."""
    return LayerFinding(name, other, order, cause, sentence, certain=True)


def _odd(artifact: Network) -> Iterator[LayerFinding]:
    order = {layer.name: number for number, layer in enumerate(artifact.layers)}
    for tensor, text in artifact.oddities:
        yield certain(tensor, "", order.get(tensor, -1), "two_scales", f"{tensor} {text}")


def _strange(reference: Network, artifact: Network) -> Iterator[LayerFinding]:
    """What is resized in one file alone, and operations of a kind that do it in another way."""
    for kind in dict.fromkeys(each.kind for each in artifact.strange):
        theirs, ours = ([s for s in net.strange if s.kind == kind] for net in (reference, artifact))
        if kind == "resize" and not theirs:
            text = f"{ours[0].name}: there is a resize, which the reference does not have"
            yield certain(ours[0].name, "", -1, "operation", text)
        elif len(theirs) == len(ours):
            for meant, found in zip(theirs, ours, strict=True):
                if meant.how and found.how and meant.how != found.how:
                    text = f"{found.name}: its {kind} has {found.how}, and the reference's {meant.how}"
                    yield certain(found.name, meant.name, -1, "operation", text)


def _before_the_first(
    artifact: Network, pairs: Pairs, found: Sequence[LayerFinding]
) -> Iterator[LayerFinding]:
    """What is done to the image before the first layer that the reference has, too, where that layer itself
    is as it must be: then it is done once too often."""
    known = set(pairs.values())
    first = min((n for n in known if artifact.layers[n].kind in ("conv", "dense")), default=0)
    if any(finding.order == first for finding in found):
        return
    images = {IMAGE}  # the image, and what is the same
    for number, layer in enumerate(artifact.layers[:first]):
        if is_neutral(layer) and images.intersection(layer.reads):
            images.add(number)
            continue
        prepares = layer.kind in ("scale", "shift") and bool(images.intersection(layer.reads))
        if number not in known and prepares:
            text = f"{layer.name}: the image is prepared once more ({layer.kind}) than in the reference"
            yield certain(layer.name, "", number, "preprocessing", text)


def _one_step(artifact: Network) -> Iterator[LayerFinding]:
    """A convolution with one step for all channels, where the others have one each."""
    steps = {
        number: len(np.unique(layer.step))
        for number, layer in enumerate(artifact.layers)
        if layer.kind == "conv" and layer.step is not None and len(layer.step) > 1
    }
    single = [number for number, count in steps.items() if count == 1]
    if 0 < len(single) < len(steps) / 2:
        for number in single:
            name = artifact.layers[number].name
            text = (
                f"{name}: its weights have one scale for all channels, where other layers have one for each"
            )
            yield certain(name, "", number, "per_tensor", text)
