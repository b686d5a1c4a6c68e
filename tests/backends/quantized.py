"""Real quantized TFLite files that one runtime or another cannot run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.backends import tiny

PLAIN = np.random.default_rng(0).normal(0, 1e-3, (1, 1000)).astype(np.float32)


def write_int16(path: Path) -> None:
    """int16 activations: a convolution, the mean over the image, a matrix."""
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        features = tf.nn.conv2d(image, tiny.KERNEL, 1, "SAME")
        return {"logits": tf.reduce_mean(features, [1, 2]) @ tiny.MATRIX}

    _write(path, serve, "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8")


def write_flat(path: Path) -> None:
    """An int8 softmax over 1000 scores that hardly differ."""
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        return {"probabilities": tf.nn.softmax(tf.reduce_mean(image, [1, 2]) @ PLAIN)}

    _write(path, serve, "TFLITE_BUILTINS_INT8")


def write_dynamic_range(path: Path) -> None:
    """A convolution of int8 weights with float activations."""
    import tensorflow as tf

    kernel = np.random.default_rng(0).normal(0, 1, (3, 3, 1, 128)).astype(np.float32)

    def serve(image: Any) -> dict[str, Any]:
        return {"logits": tf.reduce_mean(tf.nn.conv2d(image, kernel, 1, "SAME"), [1, 2])}

    _write(path, serve, "TFLITE_BUILTINS", calibrated=False)


def _write(
    path: Path, serve: Callable[[Any], dict[str, Any]], operations: str, calibrated: bool = True
) -> None:
    import tensorflow as tf

    module = tf.Module()  # without an owner the converter calls the output `Identity`
    signature = [tf.TensorSpec([1, *tiny.SHAPE], tf.float32, name="image")]
    module.serve = tf.function(serve, input_signature=signature)
    function = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    images = np.random.default_rng(0).random((20, 1, *tiny.SHAPE)).astype(np.float32)
    if calibrated:
        converter.representative_dataset = lambda: ([image] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet[operations]]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        path.write_bytes(converter.convert())
