"""Versions by what an operator uses, against those that TensorFlow's converter writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.graph.model import load_model
from resnet_edge.graph.versions.needed import needed_version, safe_version
from resnet_edge.graph.versions.operation import Operand, Operation, builtin_name, operations
from resnet_edge.graph.versions.releases import tensorflow_lite_with
from resnet_edge.graph.versions.rules import RULES
from tests.graph.versions.lists import builtins
from tests.graph.versions.operands import operand

SHAPE = (16, 16, 3)
L = keras.layers


def of(name: str, *inputs: Operand | None, gives: str = "", **options: Any) -> int:
    """The version of an operator that gives what its first input is, if nothing else is said."""
    first = next((each.dtype for each in inputs if each), "float32")
    out = operand(gives or first, 1, 4)
    return needed_version(
        Operation(name=name, inputs=inputs, outputs=(out,), options=SimpleNamespace(**options))
    )


def test_rules_are_of_operators_that_there_are() -> None:
    assert set(builtins()) >= RULES.keys()


@pytest.mark.parametrize(
    ("dtype", "softmax", "add", "quantize_to", "transpose"),
    [("float32", 1, 1, 1, 1), ("int8", 2, 2, 1, 2), ("int16", 3, 5, 2, 5)],
)
def test_wider_types_came_later(dtype: str, softmax: int, add: int, quantize_to: int, transpose: int) -> None:
    x = operand(dtype, 1, 4)
    assert of("SOFTMAX", x) == softmax
    assert of("ADD", x, x) == add
    assert of("QUANTIZE", operand("float32", 1, 4), gives=dtype) == quantize_to
    assert of("TRANSPOSE", x) == transpose


def test_quantized_int16_of_any_scale() -> None:
    x = operand("int16", 1, 4, scales=1)
    assert of("ADD", x, x, potScaleInt16=False) == 3
    assert of("ADD", x, x, potScaleInt16=True) == 1


@pytest.mark.parametrize(("scales", "version"), [((0.5, 0.5, 0.1), 3), ((0.5, 0.5, 0.5), 2)])
def test_a_product_that_is_scaled_up(scales: tuple[float, ...], version: int) -> None:
    one, other, out = (
        Operand(dtype="int8", shape=(1,), scales=(each,), axis=0, quantized=True, sparse=False)
        for each in scales
    )
    assert needed_version(Operation(name="MUL", inputs=(one, other), outputs=(out,))) == version


def test_what_is_more_than_four_axes() -> None:
    wide, narrow = operand("float32", 1, 2, 3, 4, 5), operand("float32", 5)
    assert of("SUB", wide, narrow) == of("MAXIMUM", wide, narrow) == 3
    assert of("SUB", wide, wide) == 1  # no broadcast
    assert of("TRANSPOSE", wide) == 4
    assert of("SLICE", wide) == 5


def test_a_transposed_convolution_with_and_without_a_bias_and_an_activation() -> None:
    shape, kernel, image = (
        operand("int32", 4),
        operand("int8", 4, 3, 3, 2, scales=1),
        operand("int8", 1, 8, 8, 2),
    )
    plain: dict[str, Any] = {"gives": "int8", "fusedActivationFunction": 0}
    assert of("TRANSPOSE_CONV", shape, kernel, image, **plain) == 2
    assert of("TRANSPOSE_CONV", shape, kernel, image, operand("int32", 4), **plain) == 3
    assert of("TRANSPOSE_CONV", shape, kernel, image, None, **plain) == 2
    assert of("TRANSPOSE_CONV", shape, kernel, image, gives="int8", fusedActivationFunction=1) == 4


def test_options_that_came_later() -> None:
    x = operand("float32", 1, 8, 8, 3)
    assert of("RESIZE_BILINEAR", x, halfPixelCenters=True) == 3
    assert of("RESIZE_NEAREST_NEIGHBOR", x, alignCorners=True) == 3
    assert of("RESIZE_NEAREST_NEIGHBOR", x, alignCorners=False, halfPixelCenters=False) == 1
    assert of("STRIDED_SLICE", x, ellipsisMask=0, newAxisMask=2) == 6


def test_weights_with_a_scale_for_each_channel_are_read_back() -> None:
    assert of("DEQUANTIZE", operand("int8", 4, 3, scales=4), gives="float32") == 5
    assert of("DEQUANTIZE", operand("int8", 4, 3, scales=1), gives="float32") == 2
    assert of("DEQUANTIZE", operand("float16", 4, 3), gives="float32") == 3


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int32", "int64", "bool"])
def test_a_version_that_is_asked_for_is_in_a_release(dtype: str) -> None:
    """Of the operators that networks of images have."""
    for name in (
        "ADD",
        "MUL",
        "SUB",
        "PAD",
        "CONCATENATION",
        "SOFTMAX",
        "MEAN",
        "TRANSPOSE",
        "SLICE",
        "RELU",
    ):
        x = operand(dtype, 1, 4, 4, 2)
        assert tensorflow_lite_with(name, of(name, x, x)), (name, dtype)


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
    pairs = versions(converted(network(), kind), tmp_path, safe_version)
    others = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    assert others.keys() <= (DENSE_OUTPUTS_APART if kind == "int8" else set())
    assert all(ours == 10 for _, ours in others.values())
    if kind == "dynamic" and network is not shapes:  # of its layers each has fewer than 1,024 weights
        assert 5 in pairs["CONV_2D"]


@pytest.mark.slow
def test_int16_is_given_the_versions_of_int8_by_tensorflow(tmp_path: Path) -> None:
    """Its quantizer for int16 asks no rule: it writes the versions of int8, with which runtimes without the
    kernels open the file and fail when they run it."""
    keras.utils.set_random_seed(1)
    pairs = versions(converted(residual(), "int16x8"), tmp_path, needed_version)
    too_low = {name for name, (said, ours) in pairs.items() if said < ours}
    assert too_low >= {"ADD", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX", "DEQUANTIZE"}
    assert {name for name, (said, ours) in pairs.items() if said > ours} == set()
