"""What a model ends in, a classifier or features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers

from resnet_edge.models._ending import ending
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def after(*parts: Callable[[Any], Any]) -> keras.Model:
    """A convolution with a ReLU, and `parts` behind it."""
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(4, 3, activation="relu")(image)
    for part in parts:
        x = part(x)
    return keras.Model(image, x)


POOL, DENSE = layers.GlobalAveragePooling2D, layers.Dense


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ((POOL(), DENSE(3)), "classifier"),
        ((POOL(), DENSE(3), layers.Activation("linear"), layers.Dropout(0.1)), "classifier"),
        ((POOL(), DENSE(3, activation="relu")), "classifier"),
        ((layers.Conv2D(3, 1), POOL()), "classifier"),
        ((layers.Conv2D(3, 1), POOL(), layers.Flatten()), "classifier"),
        ((POOL(), DENSE(3), layers.BatchNormalization()), "classifier"),
        ((POOL(),), "features"),
        ((layers.GlobalMaxPooling2D(), layers.Dropout(0.1)), "features"),
        ((layers.MaxPooling2D(), layers.Flatten()), "features"),
        ((layers.Conv2D(3, 1), layers.BatchNormalization(), POOL()), "features"),
        ((layers.Conv2D(3, 1), layers.ReLU(), POOL()), "features"),
        ((POOL(), DENSE(3), layers.UnitNormalization()), "features"),
        ((POOL(), DENSE(3), lambda x: keras.ops.normalize(x)), "features"),
        ((POOL(), DENSE(3), lambda x: x / keras.ops.norm(x, axis=-1, keepdims=True)), "features"),
        ((POOL(), DENSE(3), layers.LayerNormalization()), "features"),
        ((POOL(), DENSE(3), lambda x: x + x), "unknown"),
        ((POOL(), DENSE(3), lambda x: x / 2.0), "unknown"),
    ],
)
def test_what_stands_behind_the_last_weights_tells(parts: Any, kind: str) -> None:
    assert ending(after(*parts), nets.SHAPE).kind == kind


def test_nested_models_are_walked_into_and_the_last_layer_is_named() -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, after(layers.GlobalAveragePooling2D(name="pooled"))(image))
    end = ending(model, nets.SHAPE)
    assert end.kind == "features"
    assert end.last.startswith("GlobalAveragePooling2D (")
