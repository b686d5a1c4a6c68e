"""Runs in the worker of tensorflow-model-optimization. Its quantizers and layers, as LiteRT's int8
kernels round.

Weights: symmetric, per output channel, -127 to 127, and the largest magnitude of the channel is
the range: it commutes with the folding of a batch normalization, which scales whole channels.
Activations: asymmetric, per tensor, 256 values, zero among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from tensorflow_model_optimization.quantization.keras import QuantizeConfig
from tensorflow_model_optimization.quantization.keras.quantizers import (
    LastValueQuantizer,
    MovingAverageQuantizer,
)

from resnet_edge.core.scheme import DenseScales

DECAY = 0.999
"""Of the moving averages, as in tfmot's MovingAverageQuantizer."""
KERNELS = {"Conv2D": "kernel", "Dense": "kernel", "DepthwiseConv2D": "depthwise_kernel"}


class KernelQuantizer(LastValueQuantizer):
    """Rounds a kernel of any layer as int8 files store it; where `mask` is 0 the kernel is 0.

    Masked weights get no gradient, and neither momentum nor weight decay moves them from zero.
    """

    def __init__(self, mask: NDArray[np.float32] | None, dense_scales: DenseScales = "per-tensor") -> None:
        super().__init__(num_bits=8, per_axis=True, symmetric=True, narrow_range=True)
        self._mask, self._dense_scales = mask, dense_scales
        self._variables: Any = None
        self._kernel: Any = None

    def of(self, kernel: Any) -> KernelQuantizer:
        """Says which kernel it rounds, for `refresh`."""
        self._kernel = kernel
        return self

    def build(self, tensor_shape: Any, name: str, layer: Any) -> Any:
        channels = _channels(tensor_shape, layer.layer, self._dense_scales)
        self._variables = _range_variables(layer, name, (channels,))
        return self._variables

    def __call__(self, inputs: Any, training: bool, weights: Any, **options: Any) -> Any:
        kernel = inputs if self._mask is None else inputs * self._mask
        columns = tf.reshape(kernel, (-1, weights["min_var"].shape[0]))
        return tf.reshape(super().__call__(columns, training, weights, **options), kernel.shape)

    def refresh(self) -> None:
        """Take the range from the kernel as it is now: training leaves that of one step earlier."""
        self(self._kernel, True, self._variables)


def _channels(shape: Any, layer: Any, dense_scales: DenseScales) -> int:
    """Output channels, of which each has a step, as a dense layer's only where that was asked for
    (core.scheme.DenseScales); a depthwise kernel is (height, width, channels, multiplier)."""
    if dense_scales == "per-tensor" and isinstance(layer, tf_keras.layers.Dense):
        return 1
    depthwise = isinstance(layer, tf_keras.layers.DepthwiseConv2D)
    return int(shape[-2] * shape[-1]) if depthwise else int(shape[-1])


class ActivationQuantizer(MovingAverageQuantizer):
    """Rounds an activation to the moving average of its ranges in the batches of the training.

    It begins with the mean over the batches that `observing` sees, in which nothing is rounded.
    """

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)
        self.observing = False
        self._seen = 0
        self._variables: Any = None

    def build(self, tensor_shape: Any, name: str, layer: Any) -> Any:
        self._variables = _range_variables(layer, name)
        return self._variables

    def __call__(self, inputs: Any, training: bool, weights: Any, **options: Any) -> Any:
        if not self.observing:
            if training and (replica := _one_of_several()) is not None:
                return _rounded_by_all(replica, inputs, weights)
            return super().__call__(inputs, training, weights, **options)
        self._seen += 1
        extremes = tf.minimum(tf.reduce_min(inputs), 0.0), tf.maximum(tf.reduce_max(inputs), 0.0)
        for variable, value in zip((weights["min_var"], weights["max_var"]), extremes, strict=True):
            known = variable if self._seen > 1 else tf.zeros_like(variable)
            variable.assign(known + (value - known) / self._seen)
        return inputs

    @property
    def range(self) -> tuple[float, float]:
        """(min, max), with zero inside."""
        return float(self._variables["min_var"].numpy()), float(self._variables["max_var"].numpy())


def _range_variables(layer: Any, name: str, shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """As tfmot's, which no copy of a network may set: all copies compute the same range."""

    def variable(end: str, value: float) -> Any:
        return layer.add_weight(
            name + end,
            shape=shape,
            initializer=tf_keras.initializers.Constant(value),
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    return {"min_var": variable("_min", -6.0), "max_var": variable("_max", 6.0)}


def _one_of_several() -> Any:
    """Where this runs for one of several copies of the network, its tf.distribute.ReplicaContext."""
    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None


def _rounded_by_all(replica: Any, inputs: Any, weights: Any) -> Any:
    """As tfmot rounds, by the extremes of the whole batch: its own moving average is that of the mean of the
    extremes of all parts."""
    values = tf.stop_gradient(inputs)
    extremes = tf.stack([tf.minimum(tf.reduce_min(values), 0.0), -tf.maximum(tf.reduce_max(values), 0.0)])
    of_all = tf.reduce_min(replica.all_gather(extremes[None], axis=0), axis=0)
    ranges = []
    for variable, value in ((weights["min_var"], of_all[0]), (weights["max_var"], -of_all[1])):
        ranges.append(variable - (variable - value) * (1 - DECAY))
        variable.assign(ranges[-1])
    return tf.quantization.fake_quant_with_min_max_vars(inputs, *ranges, num_bits=8)


class LayerConfig(QuantizeConfig):
    """What tfmot's wrapper rounds of one layer: its kernel, if it has one, and its output if
    `output` is given. `weights` are the float variables, in the order of the layer's own."""

    def __init__(
        self,
        kernel: str | None,
        mask: NDArray[np.float32] | None,
        output: ActivationQuantizer | None,
        dense_scales: DenseScales = "per-tensor",
    ) -> None:
        self._name, self.output = kernel or "", output
        self.kernel = None if kernel is None else KernelQuantizer(mask, dense_scales)
        self.weights: list[Any] = []

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        self.weights = list(layer.weights)  # the wrapper asks once, before it puts tensors in their place
        if self.kernel is None:
            return []
        kernel = getattr(layer, self._name)
        return [(kernel, self.kernel.of(kernel))]

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        for rounded in quantize_weights:
            setattr(layer, self._name, rounded)

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        """There are none: an activation is rounded as the output of its layer."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return [] if self.output is None else [self.output]

    def get_config(self) -> dict[str, Any]:
        return {}


class FrozenNormalization(tf_keras.layers.BatchNormalization):
    """A batch normalization with the statistics that it came with, while scale and shift train on.

    What is folded into the kernels then is the same in training and in the file. Krishnamoorthi
    (arXiv:1806.08342, section 3.2.3) freezes them late in a long training; a fine-tuning of a
    network that is trained already is that late part.
    """

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return super().call(inputs, training=False)


class LoneNormalization(FrozenNormalization):
    """A batch normalization that follows no convolution: in int8 a multiplication and an addition,
    with constants of 8 bits and a rounding in between."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.product = ActivationQuantizer()
        self._product_variables = self.product.build(input_shape, "product", self)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        scale = tf.math.rsqrt(self.moving_variance + self.epsilon)
        scale = scale * self.gamma if self.scale else scale
        shift = -self.moving_mean * scale + (self.beta if self.center else 0.0)
        product = self.product(inputs * rounded(scale), training is True, self._product_variables)
        return product + rounded(shift)


def rounded(values: Any) -> Any:
    """A constant operand on the grid of its own range."""
    low, high = tf.minimum(tf.reduce_min(values), 0.0), tf.maximum(tf.reduce_max(values), 0.0)
    return tf.quantization.fake_quant_with_min_max_vars(values, low, high, num_bits=8)
