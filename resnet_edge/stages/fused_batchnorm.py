"""Runs in a worker. Training-time batch normalization as one TensorFlow kernel.

Keras 3 composes batch normalization from about ten elementwise operations on the TensorFlow
backend; on a CPU they cost more than the convolutions. `benchmarks/train_step.py` measures
the difference. Remove this file when keras.layers.BatchNormalization calls the fused kernel
itself.
"""

from __future__ import annotations

from typing import Any

import keras


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """The same weights and the same inference as BatchNormalization; faster in training.

    Its variables stay float32 under a mixed policy, and its output has the dtype of its
    input. Difference in training: the moving variance is updated with Bessel's correction,
    as the kernel gives it.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**{**config, "dtype": "float32"}, autocast=False)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        import tensorflow as tf

        if not training:
            return tf.cast(super().call(inputs, training=False), inputs.dtype)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def with_fused_batchnorm(model: keras.Model) -> keras.Model:
    """A copy of a functional `model` for training; weight order is that of `model`."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        fusable = type(layer) is keras.layers.BatchNormalization and layer.center and layer.scale
        if not fusable or layer.axis not in (-1, 3):
            return type(layer).from_config(layer.get_config())
        config = layer.get_config()
        for key in ("dtype", "synchronized"):
            config.pop(key, None)
        return FusedBatchNormalization(**config)

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy
