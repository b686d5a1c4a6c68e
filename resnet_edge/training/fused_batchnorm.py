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


def fused(layer: keras.layers.Layer, name: str) -> FusedBatchNormalization | None:
    """A fused layer like `layer`, called `name`; None where the kernel does not do what it does."""
    if type(layer) is not keras.layers.BatchNormalization or keras.backend.backend() != "tensorflow":
        return None
    if not (layer.center and layer.scale and layer.axis in (-1, 3)):
        return None
    if getattr(layer.input_spec, "ndim", None) != 4:  # behind a dense layer there are no rows and columns
        return None
    config = {**layer.get_config(), "name": name}
    for key in ("dtype", "synchronized"):
        config.pop(key, None)
    return FusedBatchNormalization(**config)
