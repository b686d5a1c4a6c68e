"""Tests of the layers that cross to tf_keras, one by one; test_bridge.py has networks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers

from resnet_edge.compression.tfmot.bridge import to_tf_keras
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def graph_of(model: keras.Model, shape: tuple[int, int, int] = nets.SHAPE) -> FlatGraph:
    return flat_graph(model, shape)


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
        (layers.RMSNormalization(name="odd"), r"odd \(RMSNormalization\) has no equal"),
        (lambda x: keras.ops.sin(x), r"the operation sin\w* \(Sin\) has no equal"),
        (
            lambda x: 1.0 / (x + 9.0),
            r"divide\w* \(\w*Divide\) joins a tensor and a constant in the middle.*Rescaling",
        ),
        (
            lambda x: x + keras.ops.ones((4,)),
            r"add\w* \(Add\) joins a tensor and a constant in the middle.*Rescaling",
        ),
        (layers.Dense(3, "leaky_relu", name="odd"), "the layer odd has the activation leaky_relu"),
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
