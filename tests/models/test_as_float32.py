"""Tests that a model of mixed precision is read as the float32 that its variables are."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models._as_float32 import as_float32
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _model(policy: str) -> keras.Model:
    """With constants that a layer keeps in the type that it computes in, and a nested part."""
    keras.mixed_precision.set_global_policy(policy)
    try:
        given = layers.Normalization(mean=[0.123456789] * 3, variance=[0.0345678912] * 3, name="given")
        image = keras.Input(nets.SHAPE)
        x = layers.Activation("relu")(nets.trunk()(given(image)))
        x = layers.GlobalAveragePooling2D()(keras.activations.relu(x))
        return nets.randomized(keras.Model(image, layers.Dense(4, name="head", dtype="float32")(x)))
    finally:
        keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_it_computes_what_the_same_variables_do_in_float32(tmp_path: Path, policy: str, suffix: str) -> None:
    mixed, plain = _model(policy), _model("float32")
    plain.set_weights(mixed.get_weights())
    path = nets.save_h5(mixed, tmp_path / f"m{suffix}")
    opened = open_model(ModelRequest(str(path), preprocess="unit"), silent)
    assert opened.facts.read_as == (
        f"its dtype policy {policy} is read as float32: the variables are float32",
    )
    given = opened.network(nets.images())
    np.testing.assert_allclose(given, nets.outputs(plain, nets.images()), rtol=2e-6)
    assert np.abs(given - nets.outputs(mixed, nets.images())).max() > 1e-5


def test_other_models_are_left_alone() -> None:
    model = _model("float32")
    before = [layer.dtype_policy for layer in model._flatten_layers()]
    assert as_float32(model) == ()
    assert [layer.dtype_policy for layer in model._flatten_layers()] == before
