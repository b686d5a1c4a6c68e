"""Tests that layers compute with the statistics that a file holds, whatever the file and the nesting."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers

from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.flat import copied, copy_weights, flat_graph, rebuild, return_weights
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def pixels() -> Any:
    return 40 + 120 * nets.images()


def adapted(framework: Any = keras, data: Any = None) -> Any:
    layer = framework.layers.Normalization()
    layer.adapt(pixels() if data is None else data)
    return layer


def at_the_top(k: Any) -> Any:
    image = k.layers.Input(nets.SHAPE)
    return k.Model(image, _head(k, adapted(k)(image)))


def nested(k: Any) -> Any:
    inner, image = k.layers.Input(nets.SHAPE), k.layers.Input(nets.SHAPE)
    body = k.Model(inner, adapted(k)(inner), name="prepare")
    return k.Model(image, _head(k, body(image)))


def nested_twice(k: Any) -> Any:
    inner = k.Sequential([k.layers.Input(nets.SHAPE), adapted(k)], name="inner")
    middle = k.Sequential([k.layers.Input(nets.SHAPE), inner], name="middle")
    return k.Sequential([k.layers.Input(nets.SHAPE), middle, k.layers.Flatten(), k.layers.Dense(4)])


def wrapped(k: Any) -> Any:
    """Each row of the image on its own."""
    image = k.layers.Input(nets.SHAPE)
    return k.Model(image, _head(k, k.layers.TimeDistributed(adapted(k, pixels().reshape(-1, 16, 3)))(image)))


def _head(k: Any, x: Any) -> Any:
    x = k.layers.Conv2D(4, 3, strides=2, name="conv")(x)
    return k.layers.Dense(4, name="head")(k.layers.GlobalAveragePooling2D(name="pool")(x))


@pytest.mark.parametrize("framework", [keras, tf_keras], ids=["keras3", "keras2"])
@pytest.mark.parametrize("build", [at_the_top, nested, nested_twice, wrapped])
def test_an_h5_file_computes_with_its_statistics(tmp_path: Path, build: Any, framework: Any) -> None:
    model = build(framework)
    expected = np.asarray(model(pixels(), training=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    opened = open_model(ModelRequest(str(tmp_path / "m.h5"), preprocess="none"), silent)
    np.testing.assert_allclose(opened.network(pixels()), expected, rtol=1e-4, atol=1e-5)


def test_efficientnet_with_a_head_of_its_own_computes_with_its_statistics(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 3))
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    next(layer for layer in base.layers if isinstance(layer, layers.Normalization)).adapt(
        40 + 120 * nets.images((32, 32, 3))
    )
    model = keras.Model(image, nets.head(base(image), activation="softmax"))
    path = nets.save_h5(model, tmp_path / "m.h5")
    opened = open_model(ModelRequest(str(path), preprocess="none"), silent)
    first = next(
        layer for layer in opened.trackable._flatten_layers() if isinstance(layer, layers.Normalization)
    )
    np.testing.assert_allclose(np.ravel(first.mean), np.ravel(first.adapt_mean))
    assert np.ravel(first.mean).min() > 40


def test_copied_weights_are_computed_with() -> None:
    model = at_the_top(keras)
    graph = flat_graph(model, nets.SHAPE)
    copy = rebuild(graph, copied)
    copy_weights(graph, copy)
    np.testing.assert_allclose(nets.outputs(copy, pixels()), nets.outputs(model, pixels()), rtol=1e-5)


def test_returned_weights_are_computed_with() -> None:
    model, other = at_the_top(keras), at_the_top(keras)
    graph = flat_graph(model, nets.SHAPE)
    fresh = rebuild(graph, copied)
    names = [call.name for call in graph.calls if getattr(call.operation, "weights", ())]
    for name, layer in zip(names, [layer for layer in other.layers if layer.weights], strict=True):
        fresh.get_layer(name).set_weights([value + 1 for value in layer.get_weights()])
    finalize_state(fresh)
    return_weights(fresh, graph)
    np.testing.assert_allclose(nets.outputs(model, pixels()), nets.outputs(fresh, pixels()), rtol=1e-5)


def test_a_layer_that_was_not_built_is_left_alone() -> None:
    finalize_state(layers.Normalization())
