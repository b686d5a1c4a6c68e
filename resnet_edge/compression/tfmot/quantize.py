"""Runs in the worker of tensorflow-model-optimization. A tf_keras network with fake quantization.

Each layer gets tfmot's QuantizeWrapperV2 with a QuantizeConfig of ours. tfmot's own placement
(`quantize_apply` with the default scheme) is not used: it knows a few orders of layers and none
with a batch normalization that stands alone, rounds dense kernels per tensor, and its search
for patterns rebuilds the network again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray
from tensorflow_model_optimization.quantization.keras import QuantizeWrapperV2

from resnet_edge.compression.tfmot.quantize_layers import (
    KERNELS,
    ActivationQuantizer,
    FrozenNormalization,
    KernelQuantizer,
    LayerConfig,
    LoneNormalization,
)
from resnet_edge.compression.tfmot.quantize_points import Points
from resnet_edge.core.scheme import DenseScales
from resnet_edge.models.learned_ranges import PRODUCT, Ranges

Masks = Mapping[str, NDArray[np.float32]]
SPARSE = 0.1
"""Share of exact zeros from which on a kernel counts as pruned: training leaves none."""


@dataclass(frozen=True)
class FakeQuantized:
    """A network in training for int8.

    `model` maps the network's input (B, H, W, C) to logits (B, classes), rounded. The other
    fields are by name of layer.
    """

    model: Any
    outputs: dict[str, ActivationQuantizer]
    kernels: dict[str, KernelQuantizer]
    variables: dict[str, list[Any]]

    def observe(self, batches: Iterable[NDArray[np.float32]]) -> None:
        """Begin with the activation ranges of the float network on `batches`, their mean."""
        self.refresh()
        self._observing(True)
        for batch in batches:
            self.model(batch, training=False)
        self._observing(False)

    def _observing(self, on: bool) -> None:
        for quantizer in self.outputs.values():
            quantizer.observing = on

    def refresh(self) -> None:
        """Bring the ranges of the kernels up to the kernels."""
        for quantizer in self.kernels.values():
            quantizer.refresh()

    def ranges(self) -> Ranges:
        """The activation ranges as they are now; without those of outputs that are always zero."""
        by_name = {name: quantizer.range for name, quantizer in self.outputs.items()}
        return {name: (low, high) for name, (low, high) in by_name.items() if low < high}

    def weights(self) -> dict[str, list[NDArray[np.float32]]]:
        """The float weights of each layer that has some, in the order of the layer's own."""
        return {
            name: [v.numpy() for v in variables] for name, variables in self.variables.items() if variables
        }


def fake_quantized(
    network: Any, points: Points, masks: Masks, dense_scales: DenseScales = "per-tensor"
) -> FakeQuantized:
    """`network`, a tf_keras functional model whose layers are called as in `points`, with fake
    quantization, without a softmax or sigmoid at its end, and with every layer trainable. Where a mask is 0,
    the kernel stays 0. `dense_scales`: of the kernels of dense layers."""
    making = _Making(points, masks, dense_scales)
    model = tf_keras.models.clone_model(network, clone_function=making.layer)
    outputs, kernels, variables = making.outputs, {}, {}
    for layer in network.layers:
        if not layer.weights:
            continue
        ours = making.configs[layer.name].weights if layer.name in making.configs else None
        ours = (ours if ours else model.get_layer(layer.name).weights)[: len(layer.weights)]
        for variable, value in zip(ours, layer.get_weights(), strict=True):
            variable.assign(value)
        variables[layer.name] = ours
    for name, config in making.configs.items():
        if config.kernel is not None:
            kernels[name] = config.kernel
    for name in points.alone:
        layer = model.get_layer(name)
        outputs[name + PRODUCT] = getattr(layer, "layer", layer).product
    result = FakeQuantized(model, outputs, kernels, variables)
    result.refresh()
    return result


def masks_of(network: Any) -> dict[str, NDArray[np.float32]]:
    """1 where a kernel that was pruned is not zero, by the name of its layer."""
    masks = {}
    for layer in network.layers:
        if (name := KERNELS.get(type(layer).__name__)) is None:
            continue
        mask = (getattr(layer, name).numpy() != 0).astype(np.float32)
        if mask.mean() <= 1 - SPARSE:
            masks[layer.name] = mask
    return masks


class _Making:
    """Makes the layers of the clone, and keeps what was put into them."""

    def __init__(self, points: Points, masks: Masks, dense_scales: DenseScales) -> None:
        self._points, self._masks, self._dense_scales = points, masks, dense_scales
        self.configs: dict[str, LayerConfig] = {}
        self.outputs: dict[str, ActivationQuantizer] = {}

    def layer(self, original: Any) -> Any:
        name = original.name
        plain = self._plain(original)
        output = ActivationQuantizer() if name in self._points.rounded else None
        kernel = KERNELS.get(type(original).__name__)
        if output is None and kernel is None:
            return plain
        if output is not None:
            self.outputs[name] = output
        config = self.configs[name] = LayerConfig(kernel, self._masks.get(name), output, self._dense_scales)
        return QuantizeWrapperV2(plain, config, name_prefix="")

    def _plain(self, original: Any) -> Any:
        config = original.get_config()
        kind: type[Any] = type(original)
        if isinstance(original, tf_keras.layers.BatchNormalization):
            kind = LoneNormalization if original.name in self._points.alone else FrozenNormalization
        if isinstance(original, tf_keras.layers.Softmax):
            return tf_keras.layers.Activation("linear", name=original.name)
        if config.get("activation") in ("softmax", "sigmoid"):
            config["activation"] = "linear"
        # The wrapper trains a kernel whether its layer is frozen or not; so all of the layer is.
        return kind.from_config({**config, "trainable": True})
