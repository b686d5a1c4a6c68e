"""Runs in a process of its own, as `python -m tests.training.double_precision`: the same training on 1 to 3
devices that a CPU is split into, in float64. Prints, for each network and number of devices, how far weights
and history are from those of one device."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.training.devices import Devices
from resnet_edge.training.fit import Fit, fit
from resnet_edge.training.placement import connected
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_data import LabelledImages, TrainingData
from resnet_edge.workers.progress import silent

SIDE, CLASSES, FITTED, HELD_OUT, BATCH = 12, 3, 94, 23, 24
"""The images that are held out do not divide by 2 or 3."""
MOST = 3


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, by its layers behind the scaling of pixels and before the head, and what it gives."""

    head: Head
    body: Callable[[], list[Any]]
    taught: bool = False


def normalized() -> list[Any]:
    """Batch normalization twice, with kinks, and dropout."""
    stages: list[Any] = []
    for number in (8, 16):
        stages += [layers.Conv2D(number, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    return [*stages, layers.SpatialDropout2D(0.2), layers.GlobalAveragePooling2D(), layers.Dropout(0.4)]


def by_group() -> list[Any]:
    """What draws and normalizes for each image by itself."""
    drawn = [layers.RandomFlip("horizontal", seed=3), layers.GaussianNoise(0.1, seed=4)]
    by_image = [layers.Conv2D(8, 3), layers.GroupNormalization(4), layers.LayerNormalization()]
    return [*drawn, *by_image, layers.GlobalAveragePooling2D()]


CASES = {
    "classes": Case(head=Head.of_classes(CLASSES, "logits"), body=normalized),
    "taught": Case(head=Head.of_classes(CLASSES, "logits"), body=by_group, taught=True),
    "multilabel": Case(head=Head.multilabel(CLASSES, "probabilities"), body=normalized),
}


def images(count: int, head: Head, seed: int) -> LabelledImages:
    random = np.random.default_rng(seed)
    classes = random.integers(0, CLASSES, count)
    pixels = random.integers(0, 200, (count, SIDE, SIDE, 1)) + 25 * classes[:, None, None, None]
    labels: NDArray[Any] = classes
    if head.kind == "multilabel":
        labels = (random.random((count, CLASSES)) < 0.4).astype(np.int64)
    return LabelledImages(pixels.astype(np.uint8), labels, "noise")


def teacher(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of the brightness of each image."""
    return np.outer(pixels.mean((1, 2, 3)) / 255, [1, -2, 3]).astype(np.float32)


def trained(case: Case, count: int) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """The weights, and the history (epochs, values)."""
    placement = connected(Devices(count=count), silent)
    with placement.scope(0):
        head = layers.Dense(CLASSES, "sigmoid" if case.head.output == "probabilities" else None)
        model = keras.Sequential(
            [keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 255), *case.body(), head]
        )
    data = TrainingData(
        fitted=images(FITTED, case.head, 1),
        held_out=images(HELD_OUT, case.head, 2),
        test=None,
        classes=CLASSES,
        class_names=(),
        identity={},
    )
    recipe = Recipe(data="noise", epochs=3, batch_size=BATCH, learning_rate=0.02, warmup_epochs=1)
    how = Fit(
        head=case.head,
        placement=placement,
        teacher=teacher if case.taught else None,
    )
    with tempfile.TemporaryDirectory() as folder:
        history = fit(model, data, recipe, Path(folder), silent, how)
    kept = [[value for name, value in sorted(row.items()) if name != "seconds"] for row in history]
    weights = [np.asarray(variable) for variable in model.weights]
    return weights, np.array(kept)


def far(case: Case) -> Mapping[int, tuple[float, float]]:
    """For each number of devices, by how much arrays of weights (in parts of their own length) and values of
    the history are others than those of one device, at most."""
    weights, history = trained(case, 1)
    apart = {}
    for count in range(2, MOST + 1):
        others, other = trained(case, count)
        lengths = [np.linalg.norm(a - b) / np.linalg.norm(a) for a, b in zip(weights, others, strict=True)]
        apart[count] = (float(max(lengths)), float(np.abs(history - other).max()))
    return apart


def in_double() -> None:
    """Keras takes batch normalization to float32 whatever comes in: its `result_type` knows no more bits."""
    keras.config.set_floatx("float64")
    normalization = sys.modules["keras.src.layers.normalization.batch_normalization"]
    backend: Any = normalization.backend  # its name for keras.src.backend
    ours = backend.result_type
    backend.result_type = lambda *types: "float64" if "float64" in types else ours(*types)


def main() -> None:
    assert jax.config.jax_enable_x64
    in_double()
    print(json.dumps({name: far(case) for name, case in CASES.items()}))  # noqa: T201  what it is for


if __name__ == "__main__":
    main()
