"""Runs in a worker. Multiply-accumulates, counted while the model runs.

Watching real calls counts nested, shared and subclassed layers as often as they run, which
no walk over `model.layers` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_COUNTED = (*_CONVOLUTIONS, *_TRANSPOSED, *_DEPTHWISE, *_SEPARABLE, layers.Dense)


class MacCounter:
    """Counts the multiply-accumulates of every call made inside the `with` block.

    Only convolutions and dense layers count, as in the ResNet papers (batch normalization,
    activations, additions and pooling do not). All are for the batch that ran.
    """

    def __init__(self, model: keras.Model) -> None:
        self._layers = [layer for layer in sublayers(model) if isinstance(layer, _COUNTED)]
        self._countable = _only_counted_layers_multiply(model, self._layers)
        self._total = self._largest = 0

    def macs_per_image(self, batch: int) -> int | None:
        """Of one image out of `batch`; None where a layer of an unknown kind multiplies too."""
        return self._total // batch if self._countable else None

    def activation_bytes(self, batch: int) -> int:
        """What the largest of these layers reads and gives for one image out of `batch`, in float32."""
        return 4 * self._largest // batch

    def __enter__(self) -> MacCounter:
        for layer in self._layers:
            layer.call = self._watched(layer, layer.call)
        return self

    def __exit__(self, *_: object) -> None:
        for layer in self._layers:
            del layer.call  # the instance's wrapper; the method of the class is visible again

    def _watched(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            outputs = call(inputs, *args, **kwargs)
            self._total += _macs(layer, inputs.shape, outputs.shape)
            self._largest = max(self._largest, _values(inputs) + _values(outputs))
            return outputs

        return watched


def sublayers(model: keras.Model) -> list[keras.layers.Layer]:
    """Every layer below `model`, at any depth. Keras has no public name for this walk."""
    layers: list[keras.layers.Layer] = model._flatten_layers(include_self=False)
    return layers


def _values(tensor: Any) -> int:
    return math.prod(map(int, tensor.shape))


def _macs(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    """Channels are last: `_opened` refuses the other order before anything runs."""
    kernels = (
        [layer.depthwise_kernel, layer.pointwise_kernel] if isinstance(layer, _SEPARABLE) else [layer.kernel]
    )
    per_position = sum(math.prod(map(int, kernel.shape)) for kernel in kernels)
    positions = inputs[:-1] if isinstance(layer, _TRANSPOSED) else outputs[:-1]
    return math.prod(map(int, positions)) * per_position


def _only_counted_layers_multiply(model: keras.Model, counted: list[Any]) -> bool:
    """Whether every matrix or filter (a weight of rank 2 or more) belongs to a counted layer."""
    known = {id(weight) for layer in counted for weight in layer.weights}
    return all(id(weight) in known for weight in model.weights if len(weight.shape) >= 2)
