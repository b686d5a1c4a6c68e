"""Multiply-accumulates that are counted while a model runs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from tests.models import nets
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS


def test_macs_of_every_kind_of_layer() -> None:
    assert _opened(nets.flat()).facts.macs == nets.FLAT_MACS


def test_macs_count_a_shared_layer_as_often_as_it_runs() -> None:
    image = keras.Input(nets.SHAPE)
    conv = layers.Conv2D(3, 3, padding="same", use_bias=False)
    model = keras.Model(image, nets.head(conv(conv(image))))
    assert _opened(model).facts.macs == 2 * 16 * 16 * 9 * 3 * 3 + 3 * 4


def test_counting_leaves_the_model_as_it_was() -> None:
    model = nets.flat()
    before = nets.outputs(model, nets.images())
    _opened(model)
    assert all("call" not in vars(layer) for layer in model.layers)
    np.testing.assert_array_equal(nets.outputs(model, nets.images()), before)
