"""Tests of what layers give, by name."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models.activations import activations
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.learned_ranges import INPUT, PRODUCT
from tests.formats import nets
from tests.models.nets import KERAS_WARNINGS, classifier

pytestmark = KERAS_WARNINGS


def test_outputs_are_those_of_the_layers() -> None:
    model = nets.preactivation_v2()
    images = nets.images(model)
    names = [layer.name for layer in model.layers[1:]]
    outputs = activations(flat_graph(model, model.input_shape[1:]), names, images)
    inside = keras.Model(model.input, [layer.output for layer in model.layers[1:]])
    for name, expected in zip(names, inside(images), strict=True):
        np.testing.assert_allclose(outputs[name], expected, atol=1e-6)


def test_layers_of_nested_models_have_the_names_of_the_flat_graph() -> None:
    model = classifier()
    images = np.random.default_rng(1).random((2, 16, 16, 3), np.float32)
    outputs = activations(flat_graph(model, (16, 16, 3)), ["trunk_out"], images)
    np.testing.assert_allclose(outputs["trunk_out"], model.get_layer("trunk")(images), atol=1e-6)


def test_a_product_is_the_normalization_without_its_shift() -> None:
    model = nets.preactivation_v2()
    images = nets.images(model)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    outputs = activations(
        flat_graph(model, model.input_shape[1:]), [layer.name, layer.name + PRODUCT], images
    )
    gamma, beta, mean, variance = layer.get_weights()
    shift = beta - mean * gamma / np.sqrt(variance + layer.epsilon)
    np.testing.assert_allclose(outputs[layer.name + PRODUCT] + shift, outputs[layer.name], atol=1e-5)


def test_a_layer_that_ends_in_a_softmax_is_seen_before_it() -> None:
    model = nets.probabilities()
    images = nets.images(model)
    name = model.layers[-1].name
    outputs = activations(flat_graph(model, model.input_shape[1:]), [name], images)
    assert np.abs(outputs[name].sum(axis=1) - 1).max() > 0.1
    np.testing.assert_allclose(keras.ops.softmax(outputs[name]), model(images), atol=1e-6)


def test_inputs_are_those_of_the_model_or_of_what_follows_a_layer() -> None:
    model = classifier(keras.layers.Rescaling(1 / 255, name="scale"))
    images = 255 * np.random.default_rng(1).random((2, 16, 16, 3), np.float32)
    outputs = activations(flat_graph(model, (16, 16, 3)), [INPUT, "scale" + INPUT], images)
    np.testing.assert_array_equal(outputs[INPUT], images)
    np.testing.assert_allclose(outputs["scale" + INPUT], images / 255, rtol=1e-6)


def test_a_name_that_no_layer_has_is_refused() -> None:
    model = nets.residual_v1()
    with pytest.raises(ModelError, match="range of nowhere, and the model no such layer: run qat again"):
        activations(flat_graph(model, model.input_shape[1:]), ["nowhere"], nets.images(model))
