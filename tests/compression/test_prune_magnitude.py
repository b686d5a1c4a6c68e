"""Tests of what compression.prune_magnitude refuses, and of what it leaves. Whole runs through the
command: tests/cli/test_prune_magnitude.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.magnitude_task import PruneMagnitude
from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import DataError, ModelError, ResnetEdgeError, UsageError
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
SHAPE = (8, 8, 3)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with tfmot_worker("pruning", tmp_path_factory.mktemp("log") / "prune.log", grant) as running:
        yield running


def saved(folder: Path, *middle: layers.Layer, classes: int = 2) -> Path:
    """A small network whose file can be opened without being told its preprocessing."""
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, name="stem")(layers.Rescaling(1 / 255)(image))
    for layer in middle:
        x = layer(x)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3, name="conv")(x))
    path = folder / "net.keras"
    keras.Model(image, layers.Dense(classes, name="logits")(x)).save(path)
    return path


def data(folder: Path, shape: tuple[int, int, int] = SHAPE, labelled: bool = True) -> Path:
    images = np.random.default_rng(1).integers(0, 256, (16, *shape)).astype(np.uint8)
    arrays: dict[str, Any] = {"images": images}
    if labelled:
        arrays["labels"] = np.arange(16) % 2
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def request(model: Path, images: Path, **more: Any) -> dict[str, Any]:
    recipe = {"data": str(images), "epochs": 2, "batch_size": 4, "validation": 0.25, **more.pop("recipe", {})}
    options = {"amount": 0.5, "schedule": "polynomial", "exclude": None, **more}
    return {
        "model": {"source": str(model)},
        "recipe": recipe,
        "out": str(model.with_name("out.keras")),
        **options,
    }


def prune(worker: WorkerProcess, wanted: dict[str, Any]) -> dict[str, Any]:
    with training_run(Path(wanted["out"])):
        return worker.call(PruneMagnitude.runs, wanted, dict)


@pytest.mark.parametrize(
    ("middle", "images", "more", "kind", "message"),
    [
        (
            [layers.RMSNormalization(name="odd")],
            {},
            {},
            ModelError,
            r"layer odd \(RMSNormalization\) has no",
        ),
        ([], {"labelled": False}, {}, DataError, "has no labels"),
        ([], {"shape": (9, 9, 3)}, {}, DataError, "9"),
        ([], {}, {"exclude": ["conv9"]}, UsageError, "--exclude 'conv9': no convolution"),
        ([], {}, {"resume": True}, UsageError, "nothing to resume"),
        ([], {}, {"recipe": {"learning_rate": 1e30}}, ResnetEdgeError, "diverged"),
    ],
)
def test_what_cannot_be_pruned_is_refused_and_leaves_nothing(
    worker: WorkerProcess,
    tmp_path: Path,
    middle: list[layers.Layer],
    images: dict[str, Any],
    more: dict[str, Any],
    kind: type[ResnetEdgeError],
    message: str,
) -> None:
    model = saved(tmp_path, *middle)
    before = sha256_of(model)
    with pytest.raises(kind, match=message):
        prune(worker, request(model, data(tmp_path, **images), **more))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.npz", "net.keras"]
    assert sha256_of(model) == before


def test_a_teacher_and_augmentation_layers_and_no_held_out_images(
    worker: WorkerProcess, tmp_path: Path
) -> None:
    """The layers come before the Rescaling in `saved`, so the network is put together here."""
    image = keras.Input(SHAPE)
    x = layers.Rescaling(1 / 255)(layers.RandomFlip("horizontal", name="mirror")(image))
    inner = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(4, 3, name="a"), layers.ReLU()], name="inner")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="b")(inner(x)))
    keras.Model(image, layers.Dense(2, "softmax", name="c")(x)).save(tmp_path / "net.keras")
    recipe = {"teacher": str(tmp_path / "net.keras"), "validation": 0.0}
    result = prune(
        worker,
        request(tmp_path / "net.keras", data(tmp_path), recipe=recipe, schedule="constant", amount=0.25),
    )
    step = result["step"]
    assert (step["before"]["top1"], step["after"]["top1"]) == (None, None)
    assert any("mirror did not act" in note for note in result["notes"])
    grew = step["after"]["gzip_bytes"] >= step["before"]["gzip_bytes"]
    assert result["notes"][0].startswith("zeros do not shrink" if grew else "zeros shrink")
    assert [layer["name"] for layer in step["details"]["layers"]] == ["b", "c"]
    assert step["details"]["dense_layers"] == ["inner_a"]
    model = keras.models.load_model(tmp_path / "out.keras", compile=False)
    assert [layer.name for layer in model.layers][1:] == ["mirror", *(x.name for x in model.layers[2:])]
    kernel = np.asarray(model.get_layer("b").kernel)
    assert np.count_nonzero(kernel == 0) == kernel.size // 4
    assert json.loads((tmp_path / "out.json").read_text())["steps"][0]["details"]["method"] == "magnitude"
