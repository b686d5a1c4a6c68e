"""What layers give while a model runs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.models._layer_outputs import as_array, innermost, layer_outputs, replaced_outputs
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
X = np.array([[1.0, -2.0]], np.float32)


def model() -> keras.Model:
    """A nested model that is called twice."""
    entry = keras.Input((2,))
    inner = keras.Model(entry, layers.ReLU(name="relu")(layers.Rescaling(-1.0, name="minus")(entry)))
    image = keras.Input((2,))
    return keras.Model(image, layers.Add(name="sum")([image, inner(inner(image))]))


def test_nested_layers_are_seen_as_often_as_they_run() -> None:
    network = model()
    outputs = layer_outputs(network, lambda: network(X))
    assert {key: value.tolist() for key, value in outputs.items() if not key[0].startswith("input")} == {
        ("minus", 0): [[-1, 2]],
        ("relu", 0): [[0, 2]],
        ("minus", 1): [[0, -2]],
        ("relu", 1): [[0, 0]],
        ("sum", 0): [[1, -2]],
    }


def test_models_are_no_innermost_layers() -> None:
    names = [layer.name for layer in innermost(model())]
    assert {"minus", "relu", "sum"} <= {*names}
    assert not any(isinstance(layer, keras.Model) for layer in innermost(model()))


def test_outputs_may_be_others_and_are_theirs_again_behind() -> None:
    network = model()
    before = np.asarray(network(X))
    with replaced_outputs(network, lambda layer, output: output + (layer.name == "relu")):
        inside = np.asarray(network(X))
    assert (inside != before).any()
    np.testing.assert_array_equal(np.asarray(network(X)), before)


def test_they_are_theirs_again_when_running_breaks() -> None:
    network = model()
    before = np.asarray(network(X))
    with pytest.raises(ValueError, match="broken"), replaced_outputs(network, broken):
        network(X)
    np.testing.assert_array_equal(np.asarray(network(X)), before)


def broken(layer: object, output: object) -> object:
    raise ValueError("broken")


def test_half_floats_are_float32() -> None:
    assert as_array(keras.ops.cast(X, "bfloat16")).dtype == np.float32
