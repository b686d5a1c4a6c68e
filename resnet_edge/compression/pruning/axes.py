"""Runs in a worker. Which axes of which weights are channels, for every layer that can be sliced.

Kernels are as Keras holds them with channels last: (H, W, in, out) of a Conv2D, (in, out) of
a Dense, (H, W, in, 1) of a DepthwiseConv2D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from resnet_edge.models.functional.flat import Call


@dataclass(frozen=True)
class Axes:
    """The axis of one weight that runs over the channels a layer reads, and over those it gives."""

    reads: int | None = None
    gives: int | None = None


@dataclass(frozen=True)
class AxisKind:
    """A kind of layer: the axes of its weights by name, and the entries of its config that count its
    channels. `makes`: these are its own; else the layer gives the channels that it reads."""

    weights: dict[str, Axes]
    counts: tuple[str, ...] = ()
    makes: bool = False


_VECTOR = Axes(gives=0)
_KINDS: dict[type, AxisKind] = {
    layers.Conv2D: AxisKind({"kernel": Axes(2, 3), "bias": _VECTOR}, ("filters",), makes=True),
    layers.Dense: AxisKind({"kernel": Axes(0, 1), "bias": _VECTOR}, ("units",), makes=True),
    layers.SeparableConv2D: AxisKind(
        {"depthwise_kernel": Axes(reads=2), "pointwise_kernel": Axes(2, 3), "bias": _VECTOR},
        ("filters",),
        makes=True,
    ),
    layers.DepthwiseConv2D: AxisKind({"kernel": Axes(gives=2), "bias": _VECTOR}),
    layers.BatchNormalization: AxisKind(
        dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), _VECTOR)
    ),
    layers.PReLU: AxisKind({"alpha": Axes(gives=-1)}),
}
_ONE_BY_ONE = AxisKind({"kernel": Axes(gives=3), "bias": _VECTOR}, ("filters", "groups"))
"""A Conv2D with a group for each channel, as ConvNeXt writes its depthwise convolutions."""

SLICEABLE = frozenset(_KINDS)
"""The classes of layers that can be sliced, unless something is peculiar about one."""


def kind_of(call: Call) -> AxisKind | None:
    """How the layer of `call` can be sliced; None where it cannot.

    Only the classes of Keras themselves count: a subclass may compute anything. A layer with
    weights beside the usual ones (quantized, or with LoRA) cannot be sliced either.
    """
    kind = _kind(call.operation)
    if kind is None or any(weight.name not in kind.weights for weight in call.operation.weights):
        return None
    return None if peculiarity(call) else kind


def peculiarity(call: Call) -> str | None:
    """What keeps a layer of a sliceable class from being sliced, in words; None: nothing."""
    layer, rank = call.operation, len(call.shape)
    if getattr(layer, "data_format", None) == "channels_first":
        return "has channels first"
    if getattr(layer, "groups", 1) != 1 and not _is_one_by_one(layer):
        return f"convolves in {layer.groups} groups"
    if getattr(layer, "depth_multiplier", 1) not in (1, None):
        return f"makes {layer.depth_multiplier} channels of each"
    if isinstance(layer, layers.BatchNormalization) and layer.axis not in (-1, rank - 1):
        return f"normalizes axis {layer.axis} and not the channels"
    if isinstance(layer, layers.PReLU) and rank - 1 in (layer.shared_axes or ()):
        return "shares its slope among the channels"
    return None


def resized(call: Call, count: int) -> dict[str, Any]:
    """The changes to the config of a layer that is to give `count` channels."""
    if type(call.operation) is layers.Reshape:
        return {"target_shape": (*call.operation.target_shape[:-1], count)}
    kind = kind_of(call)
    return dict.fromkeys(kind.counts, count) if kind else {}


def _kind(layer: Any) -> AxisKind | None:
    return _ONE_BY_ONE if _is_one_by_one(layer) else _KINDS.get(type(layer))


def _is_one_by_one(layer: Any) -> bool:
    """Whether it is a convolution with a group, and one filter, for each channel."""
    alone = type(layer) is layers.Conv2D and layer.groups == layer.filters > 1
    return alone and int(layer.kernel.shape[-2]) == 1


def kernels(layer: Any) -> list[tuple[Any, Axes]]:
    """The variables of a layer of a sliceable class that multiply its input, with their axes."""
    kind = _kind(layer)
    assert kind is not None
    return [(w, kind.weights[w.name]) for w in layer.weights if w.name.endswith("kernel")]


def reading_kernel(layer: Any) -> tuple[Any, int] | None:
    """The variable that a layer of a sliceable class reads its input with, and the axis of the
    channels there; None where it makes none of its own."""
    readings = [(weight, sides.reads) for weight, sides in kernels(layer) if sides.reads is not None]
    return readings[0] if readings else None  # a SeparableConv2D reads with the first of its two


def making_kernel(layer: Any) -> tuple[Any, int]:
    """The variable that holds the filters of a layer that makes channels, and their axis."""
    weight, sides = kernels(layer)[-1]
    assert sides.gives is not None
    return weight, sides.gives


def array(variable: Any) -> NDArray[np.float64]:
    """The values of a variable, float64."""
    return np.asarray(keras.ops.convert_to_numpy(variable)).astype(np.float64)
