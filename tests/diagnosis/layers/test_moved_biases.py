"""Dense layers on sequences, whose bias stands elsewhere, and products of constants that are rounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.graph.model import load_model, save_model
from tests.diagnosis.layers.test_compare import explained
from tests.formats import nets
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
LEFT = 2e-3
"""Of a bias: far less than what hybrid kernels round."""


def attention() -> keras.Model:
    """Tokens, a factor for each place (a product of batches), attention, and a Dense layer."""
    keras.utils.set_random_seed(11)
    image = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Reshape((8, 8))(image)
    x = keras.layers.Dense(16)(x)
    x = keras.layers.EinsumDense("abc,bc->abc", output_shape=(8, 16), kernel_initializer="random_normal")(x)
    attends = keras.layers.MultiHeadAttention(2, 16, name="attends")
    x = keras.layers.Add()([x, attends(x, x)])
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(image, keras.layers.Dense(5)(x))
    random = np.random.default_rng(1)
    for weight in attends.weights:
        if "bias" in weight.path:
            weight.assign(random.normal(0, LEFT, weight.shape))
    return model


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Road:
    model = attention()
    return road(model, nets.images(model), tmp_path_factory.mktemp("attention"))


def converted(net: Road, kind: str, folder: Path) -> Path:
    """By TensorFlow's converter, which leaves the bias behind the change of shape."""
    converter = tf.lite.TFLiteConverter.from_keras_model(attention())
    if kind != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    path = folder / f"{kind}.tflite"
    path.write_bytes(converter.convert())
    return path


@pytest.mark.parametrize("kind", ["fp32", "fp16", "dynamic"])
def test_a_bias_behind_the_change_of_shape_is_no_finding(net: Road, kind: str, tmp_path: Path) -> None:
    explanation = explained(net, converted(net, kind, tmp_path), tmp_path)
    assert [each.sentence for each in explanation.findings if each.certain] == []


def test_a_bias_that_is_wrong_there_is_one(net: Road, tmp_path: Path) -> None:
    path = converted(net, "fp32", tmp_path)
    model: Any = load_model(path)
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) == 4 * 32:
            values = np.frombuffer(bytes(buffer.data), np.float32)
            if np.abs(values).max() < 10 * LEFT and np.abs(values).max() > 0:
                buffer.data = np.frombuffer((values + np.float32(0.05)).tobytes(), np.uint8)
    save_model(model, path)
    explanation = explained(net, path, tmp_path)
    accused = [each for each in explanation.findings if each.certain]
    assert len(accused) > 1  # in which words depends on which tensor is taken for the one before the bias
    assert all("attends" in each.layer for each in accused)
