"""Tests of where fake quantization stands, and of what is refused and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers

from resnet_edge.compression.tfmot.quantize_points import Points, points_of
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import flat_graph

SHAPE = (8, 8, 3)


def points(body: Callable[[Any], Any]) -> Points:
    image = keras.Input(SHAPE)
    return points_of(flat_graph(keras.Model(image, body(image)), SHAPE))


def conv(x: Any, name: str, **options: Any) -> Any:
    return layers.Conv2D(3, 3, padding="same", name=name, **options)(x)


def bn(x: Any, name: str) -> Any:
    return layers.BatchNormalization(name=name)(x)


def relu(x: Any, name: str) -> Any:
    return layers.ReLU(name=name)(x)


def dense(x: Any, **options: Any) -> Any:
    return layers.Dense(4, name="dense", **options)(layers.GlobalAveragePooling2D(name="pool")(x))


def test_v1_rounds_once_behind_each_kernel_and_each_addition() -> None:
    def body(image: Any) -> Any:
        x = relu(bn(conv(image, "stem"), "stem_bn"), "stem_relu")
        y = bn(conv(x, "conv"), "conv_bn")
        return dense(relu(layers.Add(name="add")([x, y]), "out"))

    result = points(body)
    assert result == Points(("stem_relu", "conv_bn", "out", "pool", "dense"), ())


def test_v2_rounds_the_sum_and_behind_the_normalization_that_stands_alone() -> None:
    def body(image: Any) -> Any:
        x = conv(image, "stem")
        y = conv(relu(bn(x, "preact_bn"), "preact"), "conv")
        x = layers.Add(name="add")([x, y])
        return dense(relu(bn(x, "last_bn"), "last"))

    result = points(body)
    assert result.alone == ("preact_bn", "last_bn")
    assert result.rounded == ("stem", "preact", "conv", "add", "last", "pool", "dense")


def test_what_two_layers_read_is_rounded_though_one_of_them_is_a_relu() -> None:
    def body(image: Any) -> Any:
        x = conv(image, "conv")
        return dense(layers.Add(name="add")([x, relu(x, "relu")]))

    assert points(body).rounded == ("conv", "relu", "add", "pool", "dense")


def test_what_moves_numbers_or_is_absent_in_inference_rounds_nothing() -> None:
    def body(image: Any) -> Any:
        x = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(conv(image, "conv", activation="relu")))
        x = layers.Dropout(0.5)(layers.Flatten()(x))
        return layers.Dense(4, name="dense")(layers.Activation("linear")(x))

    assert points(body).rounded == ("conv", "dense")


def test_a_dropout_between_does_not_hide_what_is_folded() -> None:
    def body(image: Any) -> Any:
        return dense(relu(layers.Dropout(0.5)(bn(conv(image, "conv"), "bn")), "relu"))

    assert points(body) == Points(("relu", "pool", "dense"), ())


def test_what_is_concatenated_alone_is_rounded_behind_it() -> None:
    def body(image: Any) -> Any:
        x = relu(conv(image, "stem"), "stem_relu")
        up = layers.UpSampling2D(name="up")(layers.MaxPooling2D(2, name="down")(conv(x, "pooled")))
        x = layers.Concatenate(name="both")([x, relu(conv(x, "one"), "one_relu"), up])
        return dense(x)

    assert points(body).rounded == ("stem_relu", "pooled", "both", "pool", "dense")


@pytest.mark.parametrize("last", [{"activation": "softmax"}, {}])
def test_a_softmax_stays_in_float(last: dict[str, str]) -> None:
    def body(image: Any) -> Any:
        x = dense(conv(image, "conv"), **last)
        return x if last else layers.Softmax(name="softmax")(x)

    assert points(body).rounded == ("conv", "pool", "dense")


def twice(image: Any) -> Any:
    layer = layers.Conv2D(3, 3, padding="same", name="conv")
    return layer(layer(image))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            lambda x: conv(x, "conv", activation="elu"),
            r"conv \(Conv2D\) .* activation elu is not one of relu",
        ),
        (lambda x: layers.LeakyReLU(name="leaky")(x), r"leaky \(LeakyReLU\) .* residual networks"),
        (
            lambda x: layers.ReLU(max_value=3, name="three")(x),
            r"three \(ReLU\) .* without a limit, or with 6",
        ),
        (
            lambda x: layers.UpSampling2D(2, interpolation="bicubic", name="up")(x),
            r"up \(UpSampling2D\) .* no bicubic",
        ),
        (lambda x: layers.SeparableConv2D(3, 3, name="two")(x), r"two \(Separable.* two convolutions in one"),
        (lambda x: layers.Softmax(name="soft")(x) + 1.0, r"soft \(Softmax\) .* only handled at the end"),
        (lambda x: layers.BatchNormalization(axis=1, name="bn")(x), r"bn \(Batch.* normalize channels"),
        (twice, r"conv_call2 \(Conv2D\) .* used more than once"),
    ],
)
def test_a_layer_that_cannot_be_quantized_is_named_with_the_reason(body: Any, message: str) -> None:
    with pytest.raises(ModelError, match=f"the layer {message}.*; convert the model without qat"):
        points(lambda image: dense(body(image)))
