"""Runs in a worker. Where NaN and infinity begin in a model: in which weight, or in which layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError
from resnet_edge.models._layer_outputs import as_array, replaced_outputs
from resnet_edge.models.functional.flat import FlatGraph, filled, flat_graph

SHOWN = 6
"""Weights of a layer in a message."""


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """The first operation that gives NaN or infinity; `largest`: the largest magnitude of the finite numbers
    that it gets, None where these were not seen."""

    name: str
    operation: Any
    largest: float | None = None

    def described(self) -> str:
        """`layer 'bn' (BatchNormalization), which gets numbers up to 3.2; its gamma is from -1 to 2`"""
        gets = "" if self.largest is None else f", which gets numbers up to {self.largest:.3g}"
        ranges = [_range(weight) for weight in getattr(self.operation, "weights", ())[:SHOWN]]
        weights = f"; its {', '.join(ranges)}" if ranges else ""
        return f"layer {self.name!r} ({type(self.operation).__name__}){gets}{weights}"


def check_weights(weights: Iterable[tuple[str, Any]], source: str) -> None:
    """Raises ModelError that names the weights with NaN or infinity, and how many of their numbers are."""
    named = list(weights)
    spoilt = [(name, *counts) for name, weight in named if (counts := _spoilt(weight))[0]]
    if spoilt:
        name, bad, size = spoilt[0]
        raise ModelError(
            f"{source}: {len(spoilt)} of {len(named)} weights hold NaN or infinity, first {name} ({bad:,} of "
            f"{size:,} numbers): give a checkpoint from before they did, or set these numbers (0; a "
            "variance: 1), save the model again, and see what accuracy is left"
        )


def _spoilt(weight: Any) -> tuple[int, int]:
    """How many of its numbers are NaN or infinite as float32, and how many it has."""
    values = np.asarray(keras.ops.convert_to_numpy(weight))
    if values.dtype.kind in "iub":
        return 0, values.size
    return values.size - int(np.isfinite(values.astype(np.float32, copy=False)).sum()), values.size


def origin_of(model: Any, images: NDArray[np.float32], run: Callable[[], Any]) -> str:
    """In words, the first layer of `model` that gives NaN or infinity on `images` (B, H, W, C), as the model
    takes them; `run` runs it on them. Empty where none of its layers can be watched, as in a SavedModel."""
    if not isinstance(model, keras.Model):
        return ""
    try:
        graph = flat_graph(model, images.shape[1:])
    except ModelError:  # a class of the user's, whose layers can be watched all the same
        origin = _watched(model, run)
    else:
        origin = _walked(graph, images)
    return "" if origin is None else origin.described()


def _walked(graph: FlatGraph, images: NDArray[np.float32]) -> _Origin | None:
    values: dict[Any, Any] = {graph.input: keras.ops.convert_to_tensor(images)}
    for call in graph.calls:
        args, kwargs = filled(call, values)
        values[call.output] = call.operation(*args, **kwargs)
        if not _is_finite(values[call.output]):
            inputs = [as_array(values[tensor]) for tensor in call.inputs]
            largest = max((float(np.abs(each).max()) for each in inputs if each.size), default=None)
            return _Origin(name=call.name, operation=call.operation, largest=largest)
    return None


def _watched(model: Any, run: Callable[[], Any]) -> _Origin | None:
    origins: list[_Origin] = []

    def noted(layer: Any, output: Any) -> Any:
        if not origins and hasattr(output, "shape") and not _is_finite(output):
            origins.append(_Origin(name=layer.name, operation=layer))
        return output

    with replaced_outputs(model, noted):
        run()
    return origins[0] if origins else None


def _is_finite(tensor: Any) -> bool:
    return bool(np.isfinite(as_array(tensor)).all())


def _range(weight: Any) -> str:
    values = as_array(weight)
    return f"{weight.name} is from {values.min():.3g} to {values.max():.3g}"
