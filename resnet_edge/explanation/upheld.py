"""Whether what was read in a file shows in what it computes: a graph can say one thing in many ways, and not
all of them are understood here."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.explanation import LayerFinding
from resnet_edge.explanation.layers import Network
from resnet_edge.explanation.options import OPTIONS
from resnet_edge.explanation.pairs import Pairs
from resnet_edge.explanation.trace import Sums, decibels

WHOLE = OPTIONS | {"channel_scales", "other_weights", "turned", "input_channels", "output_channels"}
"""Of a whole layer: with these wrong, it cannot give the reference's numbers. One wrong weight can, where its
channel is silent on these images."""
SINGLE, HALF, INTEGER = 80.0, 55.0, 30.0
"""Decibels from which on activations are the reference's, by what a layer computes in."""


def upheld(
    found: Sequence[LayerFinding],
    reference: Network,
    artifact: Network,
    pairs: Pairs,
    sums: dict[int, Sums],
    scheme: str,
) -> tuple[list[LayerFinding], tuple[str, ...]]:
    """What does not contradict the activations, and remarks on the rest."""
    numbers = {other: number for number, other in pairs.items()}
    ends = [decibels(one) for number, one in sums.items() if number == len(reference.layers) - 1]
    kept, remarks = [], []
    for finding in found:
        layer = artifact.layers[finding.order] if finding.order >= 0 else None
        own = sums.get(numbers.get(finding.order, -1))
        seen = [decibels(own)] if own is not None else []
        if layer is None or finding.cause not in WHOLE:
            kept.append(finding)
            continue
        enough = INTEGER if layer.step is not None else (HALF if scheme == "fp16" else SINGLE)
        if layer.step is None and layer.grid is None:
            seen += ends
        if any(value is not None and value >= enough for value in seen):
            if finding.cause == "activation_added" and not layer.positive:
                continue  # a grid that has no numbers below zero, where there were none
            remarks.append(f"{finding.sentence}; but it gives what the reference gives, so it is no error")
        else:
            kept.append(finding)
    return kept, tuple(remarks)
