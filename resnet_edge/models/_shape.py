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
    """`declared` (H, W, C) with what is open (None) taken from `request`: its `input_shape`, else the images'
    own."""
    requested = request.input_shape
    if requested is None:
        height, width, channels = _with_data(declared, request)
        if height is None or width is None or channels is None:
            raise UsageError(_open(declared, request))
        return height, width, channels
    if declared is not None and any(
        own is not None and own != wanted for own, wanted in zip(declared, requested, strict=True)
    ):
        raise UsageError(
            f"--input-shape {_spelled(requested)} contradicts {request.source}, "
            f"which takes {_spelled(declared)}"
        )
    return requested


def shape_note(declared: Shape | None, request: ModelRequest) -> tuple[str, ...]:
    """What to say where the images decided on what `completed_shape` gave."""
    if request.input_shape is not None or (declared is not None and None not in declared):
        return ()
    shape = _spelled(_with_data(declared, request))
    what = "does not say its input" if declared is None else f"takes {_spelled(declared)}"
    return (f"it {what}: {shape} is taken, which is what all images of the data have (--input-shape)",)


def shape_and_note(model: keras.Model, request: ModelRequest) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """As `input_shape` and `shape_note`."""
    declared = _declared(model, request.source)
    return completed_shape(declared, request), shape_note(declared, request)


def _with_data(declared: Shape | None, request: ModelRequest) -> Shape:
    unknown = (None, None, None)
    pairs = zip(declared or unknown, request.data_shape or unknown, strict=True)
    return tuple(given if own is None else own for own, given in pairs)


def _open(declared: Shape | None, request: ModelRequest) -> str:
    """What the model leaves open, and neither the user nor the images say."""
    what = "does not say the size of its input"
    if declared is not None:
        what = f"takes images of any size ({_spelled(declared)}), and a file needs one"
    if request.data_shape is None:
        return f"{request.source} {what}: add --input-shape H,W,C"
    of_data = _spelled(request.data_shape)
    return (
        f"{request.source} {what}; the images of the data do not have one either ({of_data}): add "
        "--input-shape H,W,C, and photos are resized to that"
    )


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
