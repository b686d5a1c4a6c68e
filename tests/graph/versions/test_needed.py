"""Versions by what an operator uses, against those that TensorFlow's converter writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.graph.model import load_model
from resnet_edge.graph.versions.needed import needed_version, safe_version, scales_apart
from resnet_edge.graph.versions.operation import Operand, Operation, builtin_name, operations

SHAPE = (16, 16, 3)
L = keras.layers


def _operand(dtype: str, *shape: int, scales: int = 0) -> Operand:
    return Operand(
        dtype=dtype,
        shape=shape,
        scales=(0.5,) * scales,
        axis=0,
        quantized=scales > 0,
        sparse=False,
    )


def dense(dtype: str, weights: str, scales: int, units: int = 4, bias: str = "float32") -> Operation:
    given = [_operand(dtype, 1, 8), _operand(weights, units, 8, scales=scales), _operand(bias, units)]
    return Operation(name="FULLY_CONNECTED", inputs=tuple(given), outputs=(_operand(dtype, 1, units),))


@pytest.mark.parametrize(
    ("operation", "needed", "safe"),
    [
        (dense("float32", "float32", 0), 1, 1),
        (dense("float32", "int8", 1), 3, 3),
        (dense("float32", "int8", 4), 3, 12),
        (dense("float32", "int8", 1, units=1), 3, 3),
        (dense("int8", "int8", 1), 4, 4),
        (dense("int8", "int8", 4), 4, 10),
        (dense("int16", "int8", 1, bias="int64"), 7, 7),
        (dense("int16", "int8", 4, bias="int64"), 7, 10),
        (dense("int16", "int8", 1, bias="int32"), 11, 11),
    ],
)
def test_dense_layers(operation: Operation, needed: int, safe: int) -> None:
    assert (needed_version(operation), safe_version(operation)) == (needed, safe)


@pytest.mark.parametrize(
    ("activations", "since"), [("float32", "2.17"), ("int8", "2.13"), ("int16", "2.13"), ("float16", None)]
)
def test_what_a_scale_for_each_output_takes_is_known_without_a_file(
    activations: str, since: str | None
) -> None:
    found = scales_apart(activations)
    assert (found and found.since) == since


def test_an_operator_that_lacks_its_inputs_is_no_error() -> None:
    for name in ("CONV_2D", "MUL", "FULLY_CONNECTED", "SELECT", "QUANTIZE", "TRANSPOSE_CONV", "NO_SUCH"):
        assert needed_version(Operation(name=name, inputs=(), outputs=())) >= 1


def residual() -> keras.Model:
    image = keras.Input(SHAPE)
    x = L.Rescaling(1 / 127.5, -1)(image)
    x = L.Conv2D(32, 3, padding="same", strides=2, activation="relu")(x)
    x = L.Add()([x, L.Conv2D(32, 3, padding="same")(x)])
    x = L.GlobalAveragePooling2D()(L.ReLU(6.0)(x))
    return keras.Model(image, L.Dense(40, activation="softmax")(x))


def mobile() -> keras.Model:
    image = keras.Input(SHAPE)
    x = L.Conv2D(32, 3, strides=2, activation="relu6")(L.ZeroPadding2D()(image))
    x = L.DepthwiseConv2D(7, padding="same")(L.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x))
    x = L.Conv2D(32, 1)(L.Activation("hard_swish")(x))
    gate = L.Conv2D(32, 1, activation="hard_sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.Flatten()(L.AveragePooling2D(2)(L.Multiply()([x, gate])))
    return keras.Model(image, L.Dense(40)(x))


def shapes() -> keras.Model:
    image = keras.Input(SHAPE)
    x = L.LeakyReLU()(L.Conv2D(6, 3, groups=3)(image))
    x = L.Concatenate()([L.MaxPooling2D(2)(x), L.AveragePooling2D(2)(x)])
    x = L.UpSampling2D()(L.UpSampling2D(interpolation="bilinear")(x))
    x = L.Conv2DTranspose(4, 3, strides=2)(L.PReLU(shared_axes=[1, 2])(x))
    return keras.Model(image, L.Dense(1, activation="sigmoid")(L.GlobalMaxPooling2D()(x)))


def attention() -> keras.Model:
    image = keras.Input(SHAPE)
    x = L.Reshape((16, 32))(L.Conv2D(32, 4, strides=4)(image))
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 16)(x, x))
    x = L.Dense(32, use_bias=False)(L.Dense(64, activation="gelu")(x))
    return keras.Model(image, L.Dense(40)(keras.ops.mean(x, 1)))


def converted(model: keras.Model, kind: str) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    images = np.random.default_rng(0).random((4, 1, *SHAPE), np.float32) * 255
    sets = tf.lite.OpsSet
    if kind != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if kind in ("int8", "int16x8"):
        converter.representative_dataset = lambda: ([image] for image in images)
    if kind == "int8":
        converter.target_spec.supported_ops = [sets.TFLITE_BUILTINS_INT8]
    if kind == "int16x8":
        wide = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [wide, sets.TFLITE_BUILTINS]
    content: bytes = converter.convert()
    return content


def versions(content: bytes, folder: Path, of: Callable[[Operation], int]) -> dict[str, tuple[int, int]]:
    """What the file says and what the rules say, by operator."""
    path = folder / "a.tflite"
    path.write_bytes(content)
    model: Any = load_model(path)
    ours: dict[str, int] = {}
    for operation in operations(model):
        ours[operation.name] = max(ours.get(operation.name, 1), of(operation))
    said = {builtin_name(code): code.version for code in model.operatorCodes}
    return {name: (said[name], ours[name]) for name in ours}


DENSE_OUTPUTS_APART = {"FULLY_CONNECTED"}
"""Int8, with a scale for each output: TensorFlow says a version that runtimes have which read one scale."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")
@pytest.mark.parametrize("network", [residual, mobile, shapes, attention])
@pytest.mark.parametrize("kind", ["fp32", "fp16", "dynamic", "int8"])
def test_versions_are_those_that_tensorflow_writes(
    network: Callable[[], keras.Model], kind: str, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(1)
    found = versions(converted(network(), kind), tmp_path, safe_version)
    others = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert others.keys() <= (DENSE_OUTPUTS_APART if kind == "int8" else set())
    assert all(ours == 10 for _, ours in others.values())
    if kind == "dynamic" and network is not shapes:  # of its layers each has fewer than 1,024 weights
        assert 5 in found["CONV_2D"]


@pytest.mark.slow
def test_int16_is_given_the_versions_of_int8_by_tensorflow(tmp_path: Path) -> None:
    """Its quantizer for int16 asks no rule: it writes the versions of int8, with which runtimes without the
    kernels open the file and fail when they run it."""
    keras.utils.set_random_seed(1)
    found = versions(converted(residual(), "int16x8"), tmp_path, needed_version)
    too_low = {name for name, (said, ours) in found.items() if said < ours}
    assert too_low >= {"ADD", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX", "DEQUANTIZE"}
    assert {name for name, (said, ours) in found.items() if said > ours} == set()
