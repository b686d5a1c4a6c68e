"""Tiny real artifacts, seconds to build: one seeded network in both formats, and files that are none.

8 x 8 x 1 pixels in, 5 logits out: a convolution, ReLU, the mean over the image, a matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SHAPE = (8, 8, 1)
CLASSES = 5

IN_SCALE, IN_POINT = 1.0, 0
OUT_SCALE, OUT_POINT = 0.0625, 128
"""The ends of uint8.onnx."""

_random = np.random.default_rng(20)
KERNEL = _random.normal(0, 0.5, (3, 3, 1, 4)).astype(np.float32)
MATRIX = _random.normal(0, 4, (4, CLASSES)).astype(np.float32)


def pixels(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random images (n, 8, 8, 1), each of its own contrast, so that logits differ."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (n, *SHAPE)) * random.uniform(0.1, 1, (n, 1, 1, 1))
    images: NDArray[np.uint8] = noise.astype(np.uint8)
    return images


def logits(images: NDArray[Any]) -> NDArray[np.float64]:
    """What the network gives, (N, 5), computed here in float64: the yardstick."""
    padded = np.pad(images.astype(np.float64) / 255, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    features = np.einsum("nhwcij,ijco->nhwo", windows, KERNEL.astype(np.float64))
    result: NDArray[np.float64] = np.maximum(features, 0).mean(axis=(1, 2)) @ MATRIX.astype(np.float64)
    return result


def write_all(folder: Path) -> Path:
    """Every file below, in `folder`."""
    write_tflite(folder)
    write_onnx(folder)
    write_broken(folder)
    return folder


def write_tflite(folder: Path) -> None:
    """fixed.tflite, dynamic.tflite (float32), int8.tflite, uint8.tflite and uint8_per_output.tflite (batch
    1), and renamed.tflite, which takes `pixels`."""
    import tensorflow as tf

    def converter(batch: int | None, name: str = "image") -> Any:
        def serve(image: Any) -> dict[str, Any]:
            features = tf.nn.relu(tf.nn.conv2d(image / 255.0, KERNEL, 1, "SAME"))
            return {"logits": tf.reduce_mean(features, [1, 2]) @ MATRIX}

        signature = [tf.TensorSpec([batch, *SHAPE], tf.float32, name=name)]
        module = tf.Module()  # without an owner the converter calls the output `Identity`
        module.serve = tf.function(serve, input_signature=signature)
        return tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        return ([image[None]] for image in pixels(50).astype(np.float32))

    def quantized(dtype: Any, per_output: bool = False) -> bytes:
        quantizing = converter(1)
        quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
        quantizing.representative_dataset = calibration
        quantizing.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # TensorFlow Lite before 2.10 and TFLite Micro before 2025 read one scale for each output as one
        # for all, or refuse it.
        once = "_experimental_disable_per_channel_quantization_for_dense_layers"
        setattr(quantizing, once, not per_output)
        quantizing.inference_input_type = quantizing.inference_output_type = dtype
        content: bytes = quantizing.convert()
        return content

    with warnings.catch_warnings():
        # The converter warns of statistics that only its long gone TOCO mode took.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        (folder / "fixed.tflite").write_bytes(converter(1).convert())
        (folder / "dynamic.tflite").write_bytes(converter(None).convert())
        (folder / "renamed.tflite").write_bytes(converter(1, "pixels").convert())
        for dtype in (tf.int8, tf.uint8):
            (folder / f"{dtype.name}.tflite").write_bytes(quantized(dtype))
        (folder / "uint8_per_output.tflite").write_bytes(quantized(tf.uint8, per_output=True))


def write_keras(folder: Path) -> None:
    """net.keras and net.h5."""
    import keras

    image = keras.Input(SHAPE)
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(CLASSES, use_bias=False)(x))
    model.set_weights([KERNEL, MATRIX])
    model.save(folder / "net.keras")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # that .h5 is an old format
        model.save(folder / "net.h5")


def write_onnx(folder: Path) -> None:
    """fixed.onnx, dynamic.onnx (float32), uint8.onnx with Q/DQ at its ends, and renamed.onnx,
    which takes `pixels`."""
    _save(folder / "fixed.onnx", 1)
    _save(folder / "dynamic.onnx", "N")
    _save(folder / "uint8.onnx", 1, quantized=True)
    _save(folder / "renamed.onnx", 1, name="pixels")


def _save(path: Path, batch: int | str, name: str = "image", quantized: bool = False) -> None:
    real_in, real_out = ("real_image", "real_logits") if quantized else (name, "logits")
    nodes = [
        helper.make_node("Transpose", [real_in], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "kernel"], ["conv"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], [real_out]),
    ]
    constants = {"kernel": KERNEL.transpose(3, 2, 0, 1) / np.float32(255), "matrix": MATRIX}
    dtype = TensorProto.FLOAT
    if quantized:
        dtype = TensorProto.UINT8
        nodes.insert(0, helper.make_node("DequantizeLinear", [name, "in_scale", "in_point"], [real_in]))
        nodes.append(helper.make_node("QuantizeLinear", [real_out, "out_scale", "out_point"], ["logits"]))
        constants |= {
            "in_scale": np.array(IN_SCALE, np.float32),
            "in_point": np.array(IN_POINT, np.uint8),
            "out_scale": np.array(OUT_SCALE, np.float32),
            "out_point": np.array(OUT_POINT, np.uint8),
        }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, dtype, [batch, *SHAPE])],
        [helper.make_tensor_value_info("logits", dtype, [batch, CLASSES])],
        [numpy_helper.from_array(np.ascontiguousarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8  # of 2021: ONNX Runtime 1.12 opens it, and none of a later one
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_broken(folder: Path) -> None:
    """Per format: random.*, empty.*, and truncated.*, the first half of fixed.*."""
    for suffix in (".tflite", ".onnx"):
        whole = (folder / f"fixed{suffix}").read_bytes()
        (folder / f"random{suffix}").write_bytes(np.random.default_rng(1).bytes(4096))
        (folder / f"empty{suffix}").write_bytes(b"")
        (folder / f"truncated{suffix}").write_bytes(whole[: len(whole) // 2])
