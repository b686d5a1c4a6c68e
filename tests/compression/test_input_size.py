"""A model file rebuilt for another input size, as every later command opens it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.input_size import rebuild_model
from resnet_edge.compression.input_size_task import RebuildModel
from resnet_edge.core.errors import ModelError
from resnet_edge.core.sidecar import Sidecar, read_sidecar, write_sidecar
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _rebuilt(model: keras.Model, folder: Path, shape: tuple[int, int, int]) -> Path:
    model.save(folder / "model.keras")
    write_sidecar(folder / "model.keras", Sidecar(class_names=("a", "b", "c", "d"), head="multilabel"))
    request = ModelRequest(str(folder / "model.keras"), preprocess="unit")
    out = folder / "rebuilt.keras"
    task = RebuildModel(model=request, shape=shape, out=str(out), command="search")
    assert rebuild_model(task, silent).path == str(out)
    return out


def test_the_file_opens_at_its_size_and_keeps_what_was_known(tmp_path: Path) -> None:
    model = nets.classifier(layers.Rescaling(1 / 255), activation="sigmoid")
    out = _rebuilt(model, tmp_path, (20, 26, 3))
    before = open_model(ModelRequest(str(tmp_path / "model.keras"), preprocess="unit"), silent).facts
    facts = open_model(ModelRequest(str(out), preprocess="unit"), silent).facts
    assert facts.input_shape == (20, 26, 3)
    assert (facts.parameters, facts.head, facts.class_names) == (
        before.parameters,
        before.head,
        before.class_names,
    )
    assert (facts.macs or 0) > (before.macs or 0)
    (step,) = read_sidecar(out).steps
    assert (step.step, step.command, step.after.sha256) == ("rebuild", "search", facts.sha256)
    assert step.before is not None
    assert step.before.sha256 == before.sha256


def test_at_its_own_size_the_file_gives_the_same_bits(tmp_path: Path) -> None:
    model = nets.classifier()
    out = _rebuilt(model, tmp_path, nets.SHAPE)
    ours = open_model(ModelRequest(str(out), preprocess="unit"), silent).network(nets.images())
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(model(nets.images(), training=False)))


def test_colours_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes images of 3 channels, and not of 1"):
        _rebuilt(nets.classifier(), tmp_path, (20, 20, 1))


def test_what_is_in_the_way_is_named_and_nothing_written(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input(nets.SHAPE), layers.Flatten(name="rows"), layers.Dense(4)])
    with pytest.raises(ModelError, match=r"behind rows \(Flatten\), has weights of 768 x 4"):
        _rebuilt(model, tmp_path, (20, 20, 3))
    assert not (tmp_path / "rebuilt.keras").exists()


def test_answers_of_other_images_are_refused(tmp_path: Path) -> None:
    """Four times the pixels would be four rows of the same Dense, and four answers for an image."""
    image = keras.Input(nets.SHAPE)
    rows = keras.ops.reshape(layers.Conv2D(2, 3, padding="same")(image), (-1, 512))
    with pytest.raises(ModelError, match="2 images would get 8 answers"):
        _rebuilt(keras.Model(image, layers.Dense(4)(rows)), tmp_path, (32, 32, 3))
    assert not (tmp_path / "rebuilt.keras").exists()


def test_a_size_that_was_given_for_an_open_one_is_no_contradiction(tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    keras.Model(image, layers.Softmax()(pooled)).save(tmp_path / "open.keras")
    request = ModelRequest(str(tmp_path / "open.keras"), input_shape=(16, 16, 3), preprocess="unit")
    out = tmp_path / "rebuilt.keras"
    rebuild_model(RebuildModel(model=request, shape=(12, 12, 3), out=str(out)), silent)
    assert open_model(ModelRequest(str(out), preprocess="unit"), silent).facts.input_shape == (12, 12, 3)
