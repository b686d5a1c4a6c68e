"""How a layer moves over its image, and what it cuts off: whether that is as the reference has it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_edge.explanation.layers import Layer
from resnet_edge.explanation.weights import Said

OPTIONS = frozenset({"stride", "dilation", "padding", "activation_missing", "activation_added"})
LIMIT = 1.02
"""The end of a grid that was calibrated on what a ReLU6 gave."""


def wrong_options(theirs: Layer, ours: Layer) -> Iterator[Said]:
    """What differs."""
    if theirs.kind in ("conv", "depthwise"):
        if theirs.stride != ours.stride:
            yield "stride", f"it steps by {ours.stride}, and the reference by {theirs.stride}"
        elif theirs.dilation != ours.dilation:
            yield (
                "dilation",
                f"its kernel is spread by {ours.dilation}, and the reference's by {theirs.dilation}",
            )
        elif None not in (theirs.padding, ours.padding) and theirs.padding != ours.padding:
            yield (
                "padding",
                (
                    f"it is padded by {ours.padding} (top, left, bottom, right), and the reference by "
                    f"{theirs.padding}"
                ),
            )
    if theirs.kind in ("conv", "depthwise", "dense", "add"):
        positive = ours.positive or (ours.grid is not None and ours.grid.low >= 0)
        if theirs.positive and not positive:
            yield "activation_missing", "its ReLU is missing: it gives numbers below zero"
        elif positive and not theirs.positive and _below_zero(theirs):
            yield "activation_added", "it has a ReLU that the reference does not have"
        elif (cut := _limit(theirs, ours)) is not None:
            yield cut


def _limit(theirs: Layer, ours: Layer) -> Said | None:
    """Of a ReLU6. A grid that ends there is a limit, too, and one that ends before leaves nothing to cut."""
    end = np.inf if ours.grid is None else ours.grid.high + ours.grid.step
    high = min(end, np.inf if ours.limit is None else ours.limit)
    if theirs.limit is not None and high > theirs.limit * LIMIT:
        return "activation_missing", f"it gives numbers above {theirs.limit:g}, where the reference stops"
    if ours.limit is not None and ours.limit * LIMIT < min(end, theirs.limit or np.inf):
        return "activation_added", f"it stops at {ours.limit:g}, and the reference does not"
    return None


def _below_zero(layer: Layer) -> bool:
    """Whether a layer without an activation can give what a ReLU would cut: all but a sum of ReLUs."""
    return layer.kind in ("conv", "depthwise", "dense")
