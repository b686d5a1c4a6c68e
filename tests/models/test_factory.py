"""Tests of `package.module:factory` with modules as users write them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge import zoo
from resnet_edge.core.errors import ModelError, ResnetEdgeError, UsageError
from resnet_edge.models import ModelRequest, OpenedModel, check_source, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

MODULE = '''
import keras
from keras import layers


class Block(layers.Layer):
    """Two 3x3 convolutions and an identity shortcut."""

    def __init__(self, filters):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn2 = layers.BatchNormalization()

    def call(self, x, training=False):
        y = keras.activations.relu(self.bn1(self.conv1(x), training=training))
        return keras.activations.relu(x + self.bn2(self.conv2(y), training=training))


class Article(keras.Model):
    """The article's network, subclassed: it does not know the size of its input."""

    def __init__(self, num_layers=2, num_classes=10, scale=None):
        super().__init__()
        self.scale = layers.Rescaling(scale) if scale else None
        self.conv = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)
        self.bn = layers.BatchNormalization()
        self.pool = layers.MaxPooling2D(3, strides=2, padding="same")
        self.blocks = [Block(64) for _ in range(num_layers)]
        self.flatten = layers.Flatten()
        self.dense = layers.Dense(512, activation="relu")
        self.logits = layers.Dense(num_classes)

    def call(self, x, training=False):
        if self.scale is not None:
            x = self.scale(x)
        x = self.pool(keras.activations.relu(self.bn(self.conv(x), training=training)))
        for block in self.blocks:
            x = block(x, training=training)
        return self.logits(self.dense(self.flatten(x)))


def article():
    return Article()


def scaled():
    return Article(scale=1 / 255)


def built():
    model = Article()
    model(keras.ops.zeros((1, 32, 32, 3)))
    return model


def functional():
    image = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(image)))
    return keras.Model(image, layers.Dense(3, activation="softmax")(x))


instance = functional()


class Opaque(keras.Model):
    """Multiplies by a matrix of its own, which no layer counts."""

    def build(self, shape):
        self.w = self.add_weight(shape=(3, shape[-1]), name="w")

    def call(self, x):
        return keras.ops.matmul(keras.ops.mean(x, (1, 2)), keras.ops.transpose(self.w))


def half_and_first():
    keras.mixed_precision.set_global_policy("mixed_float16")
    keras.config.set_image_data_format("channels_first")
    image = keras.Input((3, 16, 12))
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Conv2D(4, 3)(image))))


def misfit():
    image = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(image)))
    functional().save_weights("other.weights.h5")
    model = keras.Model(image, layers.Dense(5, activation="softmax")(x))
    model.load_weights("other.weights.h5", skip_mismatch=True)
    return model


def fails():
    raise RuntimeError("no weights here\\nsecond line")


def needs_argument(depth):
    return functional()


def nothing():
    return None


number = 5
'''


def _open(source: str, **options: Any) -> OpenedModel:
    return open_model(ModelRequest(source, **options), silent)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the user's module, as the current one."""
    (tmp_path / "users_nets.py").write_text(MODULE)
    (tmp_path / "broken_nets.py").write_text("import a_package_that_is_missing\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("users_nets", "broken_nets"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_functional_model_is_opened() -> None:
    check_source(ModelRequest("users_nets:functional"))
    facts = _open("users_nets:functional").facts
    assert (facts.name, facts.input_shape, facts.classes) == ("functional", (16, 16, 3), 3)
    assert (facts.output, facts.preprocessing.name) == ("probabilities", "model")
    assert len(facts.sha256) == 64


def test_a_model_that_is_an_attribute_is_taken_as_it_is() -> None:
    assert _open("users_nets:instance").facts.classes == 3


def test_the_subclassed_article_equals_the_one_of_the_zoo() -> None:
    opened = _open("users_nets:article", input_shape=(32, 32, 3), preprocess="unit")
    theirs, ours = opened.trackable, zoo.build("article", num_layers=2)
    nets.randomized(ours)
    values = [w for layer in ours.layers for w in layer.weights]
    for weight, value in zip(theirs.weights, values, strict=True):
        weight.assign(value)
    batch = nets.images((32, 32, 3))
    got, expected = np.asarray(opened.network(batch)), nets.outputs(ours, batch * 255)
    # the zoo scales inside the graph: one rounding of the input more
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))
    assert opened.facts.parameters == ours.count_params()
    assert opened.facts.macs == _open("article").facts.macs - 2 * 8 * 8 * 9 * 64 * 64  # type: ignore[operator]


def test_a_subclassed_model_that_scales_is_known_to_scale() -> None:
    assert _open("users_nets:scaled", input_shape=(32, 32, 3)).facts.preprocessing.name == "model"


def test_a_subclassed_model_that_was_called_knows_its_input() -> None:
    assert _open("users_nets:built", preprocess="unit").facts.input_shape == (32, 32, 3)


def test_a_class_takes_the_constants_in_brackets() -> None:
    check_source(ModelRequest("users_nets:Article(1, 7)"))
    opened = _open("users_nets:Article(1, 7)", input_shape=(32, 32, 3), preprocess="unit")
    assert (opened.facts.name, opened.facts.classes) == ("Article", 7)
    assert sum(type(layer).__name__ == "Add" for layer in opened.trackable.layers) == 1


def test_settings_of_the_users_program_stay_in_it() -> None:
    opened = _open("users_nets:half_and_first", preprocess="unit")
    assert (keras.config.dtype_policy().name, keras.config.image_data_format()) == (
        "float32",
        "channels_last",
    )
    assert opened.facts.input_shape == (16, 12, 3)
    assert opened.facts.read_as[0].startswith("its dtype policy mixed_float16")
    assert opened.facts.read_as[-1].startswith("its channels come first")


def test_weights_that_did_not_load_are_told() -> None:
    assert "left 1 of 2 layers" in _open("users_nets:misfit").facts.not_loaded
    assert _open("users_nets:functional").facts.not_loaded == ""


def test_macs_that_cannot_be_counted_are_none() -> None:
    assert _open("users_nets:Opaque", input_shape=(8, 8, 3), preprocess="unit").facts.macs is None


@pytest.mark.parametrize(
    ("source", "options", "error", "says"),
    [
        ("users_nets:article", {"preprocess": "unit"}, UsageError, "add --input-shape H,W,C"),
        (
            "users_nets:article",
            {"input_shape": (32, 32, 3)},
            UsageError,
            "--preprocess unit .*imagenet.*caffe",
        ),
        ("users_nets:built", {"input_shape": (64, 64, 3)}, UsageError, "contradicts .* which takes 32,32,3"),
        ("users_nets:missing", {}, ModelError, "has no 'missing'"),
        ("users_nets:fails", {}, ModelError, "it failed: RuntimeError: no weights here$"),
        ("users_nets:needs_argument", {}, ModelError, r"TypeError: .*depth.*in brackets, as in .*\(3, 10\)"),
        ("users_nets:needs_argument(depth)", {}, ModelError, "only numbers, texts and lists of them"),
        (
            "users_nets:needs_argument(__import__('os'))",
            {},
            ModelError,
            "only numbers, texts and lists of them",
        ),
        ("users_nets:nothing", {}, ModelError, "not a keras.Model: return the model"),
        ("users_nets:number", {}, ModelError, "is a int, not a function"),
        (
            "broken_nets:make",
            {},
            ModelError,
            "cannot be imported: ModuleNotFoundError: .*a_package_that_is_missing",
        ),
        ("users_nets.deeper:make", {}, ModelError, "cannot be imported"),
    ],
)
def test_what_is_wrong_is_said(
    source: str, options: dict[str, Any], error: type[ResnetEdgeError], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        _open(source, **options)
    assert "\n" not in str(raised.value)


def test_a_tf_keras_model_is_told_from_a_keras_one(folder: Path) -> None:
    pytest.importorskip("tf_keras")
    (folder / "old_nets.py").write_text(
        textwrap.dedent("""
        class Model: ...
        Model.__module__ = "tf_keras.src.engine.training"
        def make(): return Model()
        """)
    )
    with pytest.raises(ModelError, match=r"build it with `keras` \(Keras 3\), not tf_keras"):
        _open("old_nets:make")
