"""Runs in the worker of tensorflow-model-optimization. Batch normalization of a network of which each of
several devices has a copy, over the images of all of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras


@tf_keras.utils.register_keras_serializable(package="resnet_edge")
class SynchronizedBatchNormalization(tf_keras.layers.BatchNormalization):
    """The same weights and the same inference as BatchNormalization, and in training what that computes of
    the whole batch on one device.

    tf_keras' own `synchronized` comes to another variance: without the n / (n - 1) (Bessel's correction) that
    the moving variance has from TensorFlow's fused kernel, which one device runs, and as the mean of the
    squares minus the square of the mean, which cancels digits where the mean is large.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        replica = tf.distribute.get_replica_context()
        if not training or not self.trainable or replica is None:
            return super().call(inputs, training=False)
        axes = [axis for axis in range(len(inputs.shape)) if axis not in self.axis]
        each = tf.reduce_prod([tf.shape(inputs)[axis] for axis in axes])  # a batch divides among the devices
        count = tf.cast(replica.num_replicas_in_sync * each, inputs.dtype)

        def mean_of_all(values: Any) -> Any:
            sums = tf.reduce_sum(values, axes, keepdims=True)
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, sums) / count

        mean = mean_of_all(inputs)
        variance = mean_of_all(tf.math.squared_difference(inputs, mean))
        corrected = variance * count / tf.maximum(count - 1.0, 1.0) if self.fused else variance
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, corrected)):
            value = tf.reshape(batch, tf.shape(moving))
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        scale, offset = (
            None if weight is None else tf.reshape(weight, tf.shape(mean))
            for weight in (self.gamma, self.beta)
        )
        return tf.nn.batch_normalization(inputs, mean, variance, offset, scale, self.epsilon)
