"""Runs in a worker. The input of a Keras model: one image, (H, W, C)."""

from __future__ import annotations

from typing import Any

import keras

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.models import ModelRequest
from resnet_edge.models.functional.channels_last import takes_channels_first

Shape = tuple[int | None, ...]
"""Sizes, None where any size will do."""


def input_shape(model: keras.Model, request: ModelRequest) -> tuple[int, int, int]:
    """The model's own (H, W, C), completed by `request.input_shape` where it is open.

    Raises ModelError where the input is not one image, UsageError where --input-shape is
    missing or contradicts the model.
    """
    return completed_shape(_declared(model, request.source), request)


def completed_shape(declared: Shape | None, request: ModelRequest) -> tuple[int, int, int]:
    """`declared` (H, W, C) with what is open (None) taken from `request.input_shape`."""
    requested = request.input_shape
    if declared is None:
        if requested is None:
            raise UsageError(f"{request.source} does not say the size of its input: add --input-shape H,W,C")
        return requested
    if requested is None:
        height, width, channels = declared
        if height is None or width is None or channels is None:
            raise UsageError(
                f"{request.source} takes images of any size ({_spelled(declared)}), and a file needs one: "
                "add --input-shape H,W,C"
            )
        return height, width, channels
    if any(own is not None and own != wanted for own, wanted in zip(declared, requested, strict=True)):
        raise UsageError(
            f"--input-shape {_spelled(requested)} contradicts {request.source}, "
            f"which takes {_spelled(declared)}"
        )
    return requested


def _declared(model: keras.Model, source: str) -> Shape | None:
    """(H, W, C) with None where open; None where the model does not know its input."""
    shapes = _declared_shapes(model)
    if shapes is None:
        return None
    if len(shapes) != 1:
        raise ModelError(f"{source} has {len(shapes)} inputs: an image classifier has one")
    if len(shapes[0]) != 4:
        raise ModelError(
            f"{source} takes {tuple(shapes[0])}, not a batch of images (None, height, width, channels): "
            "it is not an image classifier"
        )
    own = tuple(shapes[0][1:])
    return (*own[1:], own[0]) if takes_channels_first(model) else own


def _declared_shapes(model: keras.Model) -> list[Shape] | None:
    inputs: Any = getattr(model, "inputs", None)
    if inputs:
        return [tuple(tensor.shape) for tensor in inputs]
    # a subclassed model that has been called knows the shape that it was built for
    built: Any = (model.get_build_config() or {}).get("input_shape") if model.built else None
    return [tuple(built)] if built else None


def _spelled(shape: Shape) -> str:
    return ",".join("any" if size is None else str(size) for size in shape)
