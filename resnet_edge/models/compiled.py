"""A Keras model as one TensorFlow graph: faster than layer by layer, and with the same answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def compiled(network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`network` as a tf.function. TensorFlow's remapper is off: with oneDNN it takes convolution, addition
    and LeakyReLU for one operation and computes it with a slope of 0.2, whatever the layer's (measured with
    TensorFlow 2.21 on x86, off by 0.6 where the slope is 0.1). Remove this when
    tests/models/test_compiled.py passes without.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"remapping": False})
    function: Callable[[Any], Any] = tf.function(network, reduce_retracing=True)
    return function
