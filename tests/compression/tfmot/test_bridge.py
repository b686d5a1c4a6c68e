"""Tests of the bridge: the same numbers in tf_keras, whatever the network, or a refusal that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers

from resnet_edge import zoo
from resnet_edge.compression.tfmot.bridge import to_keras, to_tf_keras
from resnet_edge.compression.tfmot.head import split_head
from resnet_edge.compression.tfmot.layers import tf_keras_layer
from resnet_edge.core.errors import ModelError
from resnet_edge.models.flat import FlatGraph, flat_graph
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
    found = bridged(images if head is None else head(images), training=False)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=1e-4 * np.abs(expected).max())
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


def shared(image: Any) -> Any:
    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    return layers.Add()([image, twice(twice(image))])


@pytest.mark.parametrize("body", [pre_activation, many_layers, operators, activations, shared])
def test_networks_of_users_cross(body: Callable[[Any], Any]) -> None:
    image = keras.Input(nets.SHAPE)
    check_same(nets.randomized(keras.Model(image, nets.head(body(image), activation="softmax"))))


def test_a_mixed_precision_model_crosses_in_float32() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(4, 3, dtype="mixed_bfloat16", name="conv")(image)
    model = nets.randomized(keras.Model(image, layers.Dense(4, dtype="float32")(layers.Flatten()(x))))
    bridged = to_tf_keras(graph_of(model))
    assert bridged.get_layer("conv").compute_dtype == "float32"
    np.testing.assert_array_equal(
        bridged.get_layer("conv").kernel.numpy(), np.asarray(model.get_layer("conv").kernel)
    )


def test_dropout_acts_when_the_bridged_model_trains_and_only_then() -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, layers.Dense(3)(layers.Dropout(0.5)(layers.Flatten()(image))))
    bridged, images = to_tf_keras(graph_of(model)), nets.images()
    same = [np.asarray(bridged(images, training=training)) for training in (False, False, True)]
    np.testing.assert_array_equal(same[0], same[1])
    assert np.abs(same[2] - same[0]).max() > 1e-3


def test_regularizers_and_constraints_are_made_again() -> None:
    image = keras.Input(nets.SHAPE)
    conv = layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(0.25), kernel_constraint="non_neg")
    model = keras.Model(image, nets.head(conv(image)))
    bridged = to_tf_keras(graph_of(model))
    kernel = np.asarray(conv.kernel)
    np.testing.assert_allclose(
        [float(loss) for loss in bridged.losses], [0.25 * (kernel**2).sum()], rtol=1e-5
    )
    assert isinstance(bridged.get_layer(conv.name).kernel_constraint, tf_keras.constraints.NonNeg)


class Doubled(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


class Mine(keras.regularizers.Regularizer):
    def __call__(self, weight: Any) -> Any:
        return keras.ops.sum(weight)

    def get_config(self) -> dict[str, Any]:
        return {}


class Dense(layers.Dense):
    """Called like a layer of Keras, and none."""


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            layers.Lambda(lambda x: 2 * x, name="odd"),
            r"the layer odd \(Lambda\) has no equal in tf_keras.*--method",
        ),
        (Doubled(name="odd"), r"the layer odd \(Doubled\) has no equal"),
        (Dense(3, name="odd"), r"the layer odd \(Dense\) has no equal"),
        (layers.LayerNormalization(name="odd"), r"odd \(LayerNormalization\) has no equal"),
        (lambda x: keras.ops.sin(x), r"the operation sin\w* \(Sin\) has no equal"),
        (lambda x: x + 1.0, r"add\w* \(Add\) joins a tensor and a constant in the middle.*Rescaling"),
        (layers.Dense(3, "hard_sigmoid", name="odd"), "the layer odd has the activation hard_sigmoid"),
        (layers.Dense(3, Doubled(), name="odd"), "the layer odd has the activation Doubled"),
        (layers.Dense(3, name="odd one"), "'odd one' has a name that TensorFlow does not take"),
        (layers.Dense(3, dtype="float16", name="odd"), "stores its weights in float16"),
        (layers.Conv2D(3, 1, bias_regularizer=Mine(), name="odd"), "the layer odd has a Mine, which"),
    ],
)
def test_what_cannot_cross_is_named_with_the_way_out(layer: Any, message: str) -> None:
    image = keras.Input(nets.SHAPE)
    x = layer(layers.Conv2D(4, 3)(image))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    with pytest.raises(ModelError, match=message):
        to_tf_keras(graph_of(model))


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
