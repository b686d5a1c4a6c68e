"""Trained classifiers for `tinted_images` (conversion.py) in which a layer is hostile to int8."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from tests.cli.conversion import CLASSES, SIZE, tinted_images

SPREAD = 200.0
HOSTILE = "hostile"


def write_hostile(path: Path, *, widely: bool, spread: float = SPREAD) -> None:
    """A net whose classes go through one activation with channels of very different size: in int8
    the small ones are lost, and with a `spread` of 1000 XNNPACK takes no int8 graph of it at all. The
    layer and its reader are 1x1 convolutions with few of the multiply-accumulates, or (`widely`)
    3x3 convolutions with nearly all of them."""
    import keras

    warnings.simplefilter("ignore", DeprecationWarning)  # Keras 3.15 converts variables in an old way
    keras.utils.set_random_seed(0)
    kernel = 3 if widely else 1
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(16, 1 if widely else 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(16, kernel, padding="same", activation="relu", name=HOSTILE)(x)
    y = keras.layers.Conv2D(16, kernel, padding="same", activation="relu", name="reader")(y)
    y = keras.layers.Conv2D(16, 1 if widely else 3, padding="same", activation="relu")(y)
    features = keras.layers.GlobalAveragePooling2D()(y)
    head = keras.layers.Dense(CLASSES)
    model = keras.Model(image, head(features))
    images, labels = tinted_images(2000, seed=1)
    values = keras.Model(image, features).predict(images.astype(np.float32), verbose=0)
    rows = np.hstack([values, np.ones((len(values), 1))])
    fitted = np.linalg.lstsq(rows, 10 * np.eye(CLASSES)[labels], rcond=None)[0]
    head.set_weights([fitted[:-1].astype(np.float32), fitted[-1].astype(np.float32)])
    by = np.ones(16, np.float32)
    by[0], by[1:12] = spread, 1 / spread
    weights, bias = model.get_layer(HOSTILE).get_weights()
    model.get_layer(HOSTILE).set_weights([weights * by, bias * by])
    weights, bias = model.get_layer("reader").get_weights()
    model.get_layer("reader").set_weights([weights / by[:, None], bias])
    model.save(path)
