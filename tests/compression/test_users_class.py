"""The article's class as it is printed, and one of blocks, through pruning and training for int8."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import resnet_edge
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = [nets.KERAS_WARNINGS, pytest.mark.slow]

MODULE = """
import tensorflow as tf


class ResNet(tf.keras.Model):
    def __init__(self, num_layers, num_classes):
        super(ResNet, self).__init__()
        self.conv1 = tf.keras.layers.Conv2D(64, 7, strides=2, padding="same")
        self.pool1 = tf.keras.layers.MaxPooling2D(pool_size=3, strides=2)
        self.res_blocks = []
        for _ in range(num_layers):
            self.res_blocks.append([
                tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
                tf.keras.layers.Conv2D(64, 3, padding="same"),
            ])
        self.flatten = tf.keras.layers.Flatten()
        self.fc1 = tf.keras.layers.Dense(512, activation="relu")
        self.fc2 = tf.keras.layers.Dense(num_classes)

    def call(self, x):
        x = self.pool1(self.conv1(x))
        for block in self.res_blocks:
            residual = x
            for layer in block:
                x = layer(x)
            x += residual
            x = tf.nn.relu(x)
        return self.fc2(self.fc1(self.flatten(x)))


class Scale(tf.keras.layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.dense = tf.keras.layers.Dense(filters, activation="sigmoid")

    def call(self, x):
        return x * tf.reshape(self.dense(tf.reduce_mean(x, [1, 2])), [-1, 1, 1, x.shape[-1]])


class Block(tf.keras.layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.conv1 = tf.keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name="conv1")
        self.bn1 = tf.keras.layers.BatchNormalization(name="bn1")
        self.conv2 = tf.keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name="conv2")
        self.bn2 = tf.keras.layers.BatchNormalization(name="bn2")

    def call(self, x, training=False):
        y = tf.nn.relu(self.bn1(self.conv1(x), training=training))
        y = self.bn2(self.conv2(y), training=training)
        y += x
        return tf.nn.relu(y)


class Blocks(tf.keras.Model):
    def __init__(self, num_classes):
        super().__init__()
        self.stem = tf.keras.layers.Conv2D(24, 3, strides=2, padding="same")
        self.blocks = [Block(24), Block(24)]
        self.dense = tf.keras.layers.Dense(num_classes)

    def call(self, x, training=False):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x, training=training)
        return self.dense(tf.reduce_mean(x, axis=[1, 2]))
"""

SOURCES = ("users_article:ResNet(3, 4)", "users_article:Blocks(4)")
SHAPE = (28, 28, 1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "users_article.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "users_article", raising=False)
    return tmp_path


def _options(out: Path) -> dict[str, Any]:
    random = np.random.default_rng(0)
    labels = np.arange(64) % 4
    images = random.integers(0, 120, (64, *SHAPE)) + 30 * labels[:, None, None, None]
    data = (images.astype(np.uint8), labels)
    return {
        "data": data,
        "out": out,
        "epochs": 1,
        "input_shape": SHAPE,
        "preprocess": "unit",
        "batch_size": 16,
    }


def _reopened(out: Path) -> keras.Model:
    model = open_model(ModelRequest(str(out), preprocess="unit"), silent).trackable
    assert isinstance(model, keras.Model)
    return model


@pytest.mark.parametrize("source", SOURCES)
def test_half_of_its_weights_become_zero(folder: Path, source: str) -> None:
    resnet_edge.prune(source, method="magnitude", amount=0.5, **_options(folder / "out.keras"))
    kernels = [layer.kernel for layer in _reopened(folder / "out.keras").layers if hasattr(layer, "kernel")]
    assert all(np.mean(np.asarray(kernel) == 0) >= 0.49 for kernel in kernels[1:])


@pytest.mark.parametrize("source", SOURCES)
def test_it_loses_channels(folder: Path, source: str) -> None:
    before = open_model(ModelRequest(source, input_shape=SHAPE, preprocess="unit"), silent).facts
    resnet_edge.prune(source, method="channel", amount=0.3, **_options(folder / "out.keras"))
    after = open_model(ModelRequest(str(folder / "out.keras"), preprocess="unit"), silent).facts
    assert before.macs is not None
    assert after.macs is not None
    assert after.macs <= 0.72 * before.macs


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_trained_for_int8_with_a_teacher(folder: Path, source: str) -> None:
    resnet_edge.qat(source, teacher=source, teacher_preprocess="unit", **_options(folder / "out.keras"))
    opened = open_model(ModelRequest(str(folder / "out.keras"), preprocess="unit"), silent)
    assert opened.facts.learned_ranges > 4
