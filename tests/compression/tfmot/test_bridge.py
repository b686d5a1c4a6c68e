"""Tests of the bridge: the same numbers in tf_keras, whatever the network, or a refusal that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers
from keras.src.applications.convnext import LayerScale
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

from resnet_edge import zoo
from resnet_edge.compression.tfmot.bridge import to_keras, to_tf_keras
from resnet_edge.compression.tfmot.head import split_head
from resnet_edge.compression.tfmot.layers import tf_keras_layer
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
QUICK = {"article", "resnet8", "resnet18-v2"}
SMALL = (32, 32, 3)


def graph_of(model: keras.Model, shape: tuple[int, int, int] = nets.SHAPE) -> FlatGraph:
    return flat_graph(model, shape)


def check_same(model: keras.Model, shape: tuple[int, int, int] = nets.SHAPE) -> Any:
    """Head and tf_keras trunk together give what Keras gives; the tf_keras model is returned."""
    head, trunk = split_head(graph_of(model, shape))
    bridged = to_tf_keras(trunk)
    assert isinstance(bridged, tf_keras.Model)
    images = 255 * nets.images(shape)
    expected = nets.outputs(model, images)
    outputs = bridged(images if head is None else head(images), training=False)
    np.testing.assert_allclose(np.asarray(outputs), expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    return bridged


@pytest.mark.parametrize(
    "arch",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in zoo.architectures()],
)
def test_the_whole_zoo_crosses(arch: str) -> None:
    check_same(nets.randomized(zoo.build(arch, SMALL, nets.CLASSES)), SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "ResNet50V2"])
def test_keras_applications_cross(name: str) -> None:
    builder = getattr(keras.applications, name)
    model = nets.randomized(builder(weights=None, classes=nets.CLASSES, input_shape=SMALL))
    check_same(model, SMALL)


def test_a_frozen_trunk_inside_a_sequential_model_crosses_and_stays_frozen() -> None:
    model = nets.transfer()
    bridged = check_same(model)
    layer = bridged.get_layer("trunk_stem")
    assert not layer.trainable
    assert bridged.layers[-1].trainable


def pre_activation(image: Any) -> Any:
    """Activation layers of several kinds, and a bias where most networks have none."""
    x = layers.Conv2D(4, 3, padding="same", activation="relu6")(image)
    y = layers.Activation("relu")(layers.BatchNormalization(axis=3, epsilon=1e-2)(x))
    y = layers.LeakyReLU(negative_slope=0.2)(layers.Conv2D(4, 1)(y))
    return layers.ReLU(max_value=6.0)(layers.Add()([x, y]))


def many_layers(image: Any) -> Any:
    """What the zoo does not have."""
    x = layers.PReLU(shared_axes=[1, 2])(layers.ZeroPadding2D(1)(image))
    x = layers.AveragePooling2D(3, 2)(layers.MaxPooling2D(3, 1, "same")(layers.Dropout(0.5)(x)))
    x = layers.Conv2DTranspose(4, 2, strides=2)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.SeparableConv2D(4, 3, activation="silu")(layers.UpSampling2D(2)(x))
    scale = layers.Dense(4, "sigmoid")(layers.GlobalMaxPooling2D(keepdims=True)(x))
    return layers.Concatenate()([layers.Multiply()([x, scale]), layers.Softmax()(layers.ELU()(x))])


def operators(image: Any) -> Any:
    """`x + y` and functions where others put layers."""
    x = layers.Conv2D(4, 3, padding="same")(image / 255)
    y = keras.ops.relu6(layers.Conv2D(4, 3, padding="same")(keras.ops.relu(x)))
    return layers.Conv2D(4, 1)((x + y) * x - y)


def activations(image: Any) -> Any:
    """Functions of keras.activations, called on tensors."""
    x = keras.activations.relu(image - 0.5, negative_slope=0.1, max_value=0.4, threshold=0.05)
    x = keras.activations.elu(layers.Conv2D(4, 3)(x), alpha=0.3)
    x = keras.activations.silu(keras.activations.tanh(layers.Conv2D(4, 1)(x)))
    x = keras.activations.softplus(keras.activations.sigmoid(keras.activations.selu(x)))
    return layers.Conv2D(4, 1)(keras.activations.softsign(x))


def hard_swish(image: Any) -> Any:
    """As MobileNetV3 writes it: as an activation, and of operators with numbers."""
    x = layers.Conv2D(4, 3, activation="hard_swish")(image - 0.5)
    x = layers.Activation("hard_sigmoid")(layers.Conv2D(4, 1)(x))
    x = x * (layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0))
    return layers.Conv2D(4, 1)((1.0 - x) / 3.0 - 0.1)


def of_applications(image: Any) -> Any:
    """Layers that only keras.applications has, and normalizations of other axes than the batch."""
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(4, 3, padding="same")(image))
    x = LayerScale(0.2, 4)(layers.GroupNormalization(2)(x))
    return CustomScaleLayer(0.3)([x, layers.Conv2D(4, 1)(x)])


def shared(image: Any) -> Any:
    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    return layers.Add()([image, twice(twice(image))])


@pytest.mark.parametrize(
    "body", [pre_activation, many_layers, operators, hard_swish, of_applications, activations, shared]
)
def test_networks_of_users_cross(body: Callable[[Any], Any]) -> None:
    image = keras.Input(nets.SHAPE)
    check_same(nets.randomized(keras.Model(image, nets.head(body(image), activation="softmax"))))


def test_a_layer_that_computes_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lists do not know of, the numbers show: a tf_keras whose ReLU had another slope."""

    def other(call: Any) -> Any:
        return (
            tf_keras.layers.ReLU(negative_slope=0.01, name=call.name)
            if call.kind == "ReLU"
            else tf_keras_layer(call)
        )

    monkeypatch.setattr("resnet_edge.compression.tfmot.bridge.tf_keras_layer", other)
    with pytest.raises(
        ModelError, match=r"the layer trunk_stem_relu \(ReLU\) gives other numbers in tf_keras"
    ):
        to_tf_keras(graph_of(nets.classifier()))


def test_weights_go_back_into_the_users_own_model() -> None:
    model = nets.transfer()
    head, trunk = split_head(graph_of(model))
    bridged = to_tf_keras(trunk)
    random = np.random.default_rng(5)
    for weight in bridged.weights:
        weight.assign(weight + random.uniform(0, 0.1, weight.shape))
    to_keras(bridged, trunk)
    images = 255 * nets.images()
    assert head is not None
    expected = np.asarray(bridged(head(images), training=False))
    np.testing.assert_allclose(nets.outputs(model, images), expected, rtol=0, atol=1e-5)


def test_another_network_is_refused_on_the_way_back_and_changes_nothing() -> None:
    model = nets.classifier()
    before = [weight.numpy() for weight in model.weights]
    other = to_tf_keras(graph_of(nets.classifier(classes=nets.CLASSES + 1)))
    with pytest.raises(ModelError, match=r"the layer head has the weights .* nothing was copied"):
        to_keras(other, graph_of(model))
    with pytest.raises(ModelError, match="the layer trunk_stem is missing"):
        to_keras(to_tf_keras(graph_of(nets.flat())), graph_of(model))
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
