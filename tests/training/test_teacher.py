"""A teacher that does not say by itself all that it is opened with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.core.head import Head
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.teacher import teacher_of
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

MODULE = """
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, strides=2)
        self.dense = layers.Dense(classes)

    def call(self, x):
        x = self.conv(x)
        x += keras.ops.relu(x)
        return self.dense(layers.Flatten()(x))
"""
SHAPE = (8, 6, 3)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "users_teacher.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "users_teacher", raising=False)
    return tmp_path


def taught(teacher: str, head: Head, **options: Any) -> np.ndarray:
    recipe = Recipe(data="images.npz", epochs=1, teacher=teacher, **options)
    teach = teacher_of(recipe, SHAPE, head, silent)
    assert teach is not None
    scores: np.ndarray = teach(PIXELS)
    return scores


def test_a_class_is_opened_for_the_images_of_the_student_with_the_pixels_that_were_named() -> None:
    head, source = Head.of_classes(4, "logits"), "users_teacher:Net(4)"
    with pytest.raises(UsageError, match="add --teacher-preprocess unit") as caught:
        taught(source, head)
    assert str(caught.value).startswith("--teacher users_teacher:Net(4): does not say what pixels")
    keras.utils.set_random_seed(1)
    unit = taught(source, head, teacher_preprocess="unit")
    keras.utils.set_random_seed(1)
    whole = taught(source, head, teacher_preprocess="model")
    assert unit.shape == (5, 4)
    np.testing.assert_allclose(255 * unit, whole, rtol=1e-3, atol=1e-2)  # biases are zero


def _two_outputs(folder: Path) -> str:
    image = keras.Input(SHAPE)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    outputs = [keras.layers.Dense(count, name=name)(x) for name, count in (("kind", 4), ("tags", 3))]
    keras.Model(image, outputs).save(folder / "two.keras")
    return "two.keras"


def test_one_of_its_outputs_is_named_and_is_of_the_students_kind(folder: Path) -> None:
    source = _two_outputs(folder)
    several, classes = Head.multilabel(3, "probabilities"), Head.of_classes(4, "logits")
    with pytest.raises(ModelError, match="name it with --teacher-output NAME"):
        taught(source, classes)
    assert taught(source, classes, teacher_output="kind").shape == (5, 4)
    assert taught(source, several, teacher_output="tags").shape == (5, 3)
    with pytest.raises(UsageError, match="of 3 classes, and the student 8x6x3 of 4 classes"):
        taught(source, classes, teacher_output="tags")


def test_one_that_takes_other_images_is_refused(folder: Path) -> None:
    image = keras.Input((6, 6, 3))
    keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(image))).save(folder / "other.keras")
    with pytest.raises(UsageError, match="which takes 6,6,3: choose one that was trained on the same data"):
        taught("other.keras", Head.of_classes(4, "logits"), teacher_preprocess="unit")
