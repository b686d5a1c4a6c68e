"""Tests that a name in a file may be any, and is told as it is."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.graph.convert import convert
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models._safe_names import is_safe, safe_scope, with_safe_names
from resnet_edge.models.witness import check_reader
from resnet_edge.workers.progress import silent
from tests.models import nets
from tests.models.odd_names import rename

pytestmark = nets.KERAS_WARNINGS

ODD = {
    "stem": "conv 1",
    "block": "größe",
    "pool": "a;b",
    "head": "x<y>",
    "trunk": "畳み込み",
    "classifier": "_mein Netz",
}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    nets.classifier(layers.Rescaling(1 / 255)).save(tmp_path / "saved.keras")
    rename(tmp_path / "saved.keras", tmp_path / "m.keras", ODD)
    return tmp_path / "m.keras"


def test_a_file_with_odd_names_becomes_an_artifact(odd: Path, tmp_path: Path) -> None:
    request = ModelRequest(str(odd))
    opened = open_model(request, silent)
    expected = nets.outputs(keras.models.load_model(tmp_path / "saved.keras"), nets.images())
    np.testing.assert_array_equal(opened.network(nets.images()), expected)
    assert set(opened.facts.own_names.values()) == set(ODD.values())
    assert all(map(is_safe, opened.facts.own_names))
    check = check_reader(opened, request, nets.images())
    assert check.difference <= check.allowed
    out = tmp_path / "m.tflite"
    convert(opened.network, opened.trackable, PRESETS["model"], nets.SHAPE, "logits", out)
    assert out.stat().st_size > 1000


def test_the_file_of_an_h5_with_odd_names_too(tmp_path: Path) -> None:
    image = keras.Input(nets.SHAPE, name="the image")
    x = layers.Conv2D(4, 3, name="a b")(image)
    model = nets.randomized(keras.Model(image, nets.head(x), name="n n"))
    opened = open_model(ModelRequest(str(nets.save_h5(model, tmp_path / "m.h5")), preprocess="unit"), silent)
    np.testing.assert_array_equal(opened.network(nets.images()), nets.outputs(model, nets.images()))
    assert opened.facts.own_names == {"the_image": "the image", "a_b": "a b", "n_n": "n n"}


def test_no_two_names_become_one() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(2, 1, name="a_b")(
        layers.Conv2D(2, 1, name="a b")(layers.Conv2D(2, 1, name="a;b")(image))
    )
    model = keras.Model(image, x)
    own = with_safe_names(model)
    names = [layer.name for layer in model.layers]
    assert len({*names}) == len(names)
    assert {own.get(name, name) for name in names[1:]} == {"a;b", "a b", "a_b"}
    assert "a_b" not in own


@given(st.text(min_size=1))
def test_any_text_is_a_scope(text: str) -> None:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.name_scope(safe_scope(text)):
        assert tf.constant(1.0).op.name
    assert is_safe(safe_scope(text))
