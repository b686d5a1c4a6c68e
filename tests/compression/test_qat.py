"""Tests of compression.qat in its worker, on networks so small that it takes seconds."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.qat_task import FineTuneForInt8
from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.core.errors import DataError, ModelError, ResnetEdgeError, UsageError
from resnet_edge.core.sidecar import Sidecar, read_sidecar, write_sidecar
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import Progress, silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
SHAPE = (8, 8, 1)
CLASSES = 3


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with tfmot_worker("qat", tmp_path_factory.mktemp("log") / "qat.log", grant) as running:
        yield running


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 images in three classes that brightness tells apart."""
    random = np.random.default_rng(0)
    labels = np.arange(96) % CLASSES
    images = (random.integers(0, 60, (96, *SHAPE)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, images=images, labels=labels, class_names=["dark", "middle", "light"])
    return path


def residual(*begin: keras.layers.Layer, activation: str | None = None) -> keras.Model:
    image = keras.Input(SHAPE, name="image")
    x = image
    for layer in begin or (layers.Rescaling(1 / 255, name="rescale"),):
        x = layer(x)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    y = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x)
    y = layers.BatchNormalization(name="conv_bn")(y)
    x = layers.ReLU(name="out")(layers.Add(name="add")([x, y]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, layers.Dense(CLASSES, activation, name="dense")(x), name="residual")
    return nets.randomized(model)


def saved(folder: Path, model: keras.Model | None = None) -> Path:
    (model or residual()).save(folder / "base.keras")
    return folder / "base.keras"


def request(model: Path, data: Path, out: Path, **changes: Any) -> dict[str, Any]:
    small = {"data": str(data), "epochs": 2, "batch_size": 16, "validation": 0.25, "warmup_epochs": 0.0}
    recipe = {**small, "learning_rate": 0.01, "weight_decay": 1e-4, **changes.pop("recipe", {})}
    source = {"source": str(model), **changes.pop("source", {})}
    return {"model": source, "recipe": recipe, "out": str(out), "command": "resnet-edge qat", **changes}


def qat(worker: WorkerProcess, wanted: dict[str, Any], report: Any = silent) -> dict[str, Any]:
    with training_run(Path(wanted["out"])):
        return worker.call(FineTuneForInt8.runs, wanted, dict, report)


@pytest.fixture(scope="module")
def trained(
    worker: WorkerProcess, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A finished run: its folder, and its reply."""
    folder = tmp_path_factory.mktemp("trained")
    base = saved(folder)
    write_sidecar(base, Sidecar(("dark", "middle", "light")))
    return folder, qat(worker, request(base, data, folder / "net.keras"))


def test_the_file_is_the_same_network_with_other_weights_and_its_ranges(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = trained
    before, after = (
        open_model(ModelRequest(str(folder / name)), silent) for name in ("base.keras", "net.keras")
    )
    assert after.facts.class_names == ("dark", "middle", "light")
    assert [layer.name for layer in after.trackable.layers] == [
        layer.name for layer in before.trackable.layers
    ]
    assert not np.array_equal(
        after.trackable.get_layer("conv").get_weights()[0],
        before.trackable.get_layer("conv").get_weights()[0],
    )
    assert before.ranges is None
    assert after.ranges is not None
    assert set(after.ranges) == {"rescale/input", "stem_relu", "conv_bn", "out", "pool", "dense"}
    assert after.ranges["rescale/input"] == (0.0, 1.0)
    assert after.ranges["out"][0] == 0.0
    assert after.ranges["conv_bn"][0] < 0


def test_the_sidecar_tells_before_and_after_and_both_accuracies(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, reply = trained
    (step,) = read_sidecar(folder / "net.keras").steps
    assert step.step == "qat"
    assert step.before is not None
    assert step.before.parameters == step.after.parameters
    assert step.before.sha256 != step.after.sha256
    details = step.details
    assert details["learned_ranges"] == 6
    assert details["top1_float"] == step.after.top1
    assert 0 <= details["top1_fake_quantized"] <= 1
    assert [row["epoch"] for row in details["history"]] == [1, 2]
    assert details["history"][-1]["val_accuracy"] == pytest.approx(details["top1_fake_quantized"], abs=0.05)
    assert details["framework"].startswith("tf_keras")
    assert any("as int8 computes" in note for note in reply["notes"])


def test_nothing_but_the_model_and_its_sidecar_is_left(trained: tuple[Path, dict[str, Any]]) -> None:
    names = ["base.json", "base.keras", "net.json", "net.keras"]
    assert sorted(file.name for file in trained[0].iterdir()) == names


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_very_same_weights_and_ranges(
    trained: tuple[Path, dict[str, Any]], data: Path, tmp_path: Path, worker: WorkerProcess
) -> None:
    base, out = trained[0] / "base.keras", tmp_path / "net.keras"

    def interrupt(news: Progress) -> None:
        if "epoch   1/2" in news.note and news.line:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        tfmot_worker("qat", tmp_path / "log", Grant(writes=(str(tmp_path),))) as other,
    ):
        # The checkpoint of an epoch is written after it is told: the second one is under way by now.
        qat(other, request(base, data, out), wait_for(out, interrupt))
    assert not out.exists()
    with pytest.raises(UsageError, match="another recipe"):
        qat(worker, request(base, data, out, resume=True, recipe={"seed": 1}))
    qat(worker, request(base, data, out, resume=True))
    ours, theirs = (open_model(ModelRequest(str(file)), silent) for file in (out, trained[0] / "net.keras"))
    assert ours.ranges == theirs.ranges
    for one, other_weight in zip(ours.trackable.get_weights(), theirs.trackable.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other_weight)


def wait_for(out: Path, interrupt: Any) -> Any:
    """Interrupts at the first news after the checkpoint of the first epoch is there."""
    seen: list[Progress] = []

    def report(news: Progress) -> None:
        if news.line and "epoch   1/2" in news.note:
            seen.append(news)
        elif seen and out.with_name(f"{out.name}.checkpoint").joinpath("epoch-1.npz").is_file():
            interrupt(seen[0])

    return report


def test_a_pruned_network_keeps_its_zeros(worker: WorkerProcess, data: Path, tmp_path: Path) -> None:
    model = residual()
    layer = model.get_layer("conv")
    (kernel,) = layer.get_weights()
    kernel[np.abs(kernel) < np.quantile(np.abs(kernel), 0.6)] = 0
    layer.set_weights([kernel])
    reply = qat(worker, request(saved(tmp_path, model), data, tmp_path / "net.keras"))
    after = keras.models.load_model(tmp_path / "net.keras").get_layer("conv").get_weights()[0]
    np.testing.assert_array_equal(after == 0, kernel == 0)
    assert not np.array_equal(after, kernel)
    assert reply["step"]["details"]["kept_zeros"] == np.count_nonzero(kernel == 0)


def test_probabilities_and_pixels_that_are_preprocessed_outside(
    worker: WorkerProcess, data: Path, tmp_path: Path
) -> None:
    model = residual(layers.Identity(name="as_they_are"), activation="softmax")
    wanted = request(saved(tmp_path, model), data, tmp_path / "net.keras", source={"preprocess": "symmetric"})
    reply = qat(worker, wanted)
    opened = open_model(ModelRequest(str(tmp_path / "net.keras"), preprocess="symmetric"), silent)
    assert opened.facts.output == "probabilities"
    assert opened.ranges is not None
    assert opened.ranges["/input"] == (-1.0, 1.0)
    assert opened.ranges["dense"][0] < 0, "before the softmax"
    assert any("say so again to `convert`" in note for note in reply["notes"])


def test_a_frozen_network_inside_another_with_augmentation(worker: WorkerProcess, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (32, *nets.SHAPE)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(32) % nets.CLASSES)
    reply = qat(
        worker, request(saved(tmp_path, nets.transfer()), tmp_path / "data.npz", tmp_path / "net.keras")
    )
    opened = open_model(ModelRequest(str(tmp_path / "net.keras")), silent)
    assert opened.ranges is not None
    assert "trunk_stem_relu" in opened.ranges
    assert any("frozen" in note for note in reply["notes"])
    assert any("random_flip" in note for note in reply["notes"])


def elu() -> keras.Model:
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, activation="elu", name="odd")(layers.Rescaling(1 / 255)(image))
    return keras.Model(image, layers.Dense(CLASSES)(layers.Flatten()(x)))


@pytest.mark.parametrize(
    ("make", "message"),
    [(elu, r"the layer odd \(Conv2D\) cannot be quantized in training: its activation elu")],
)
def test_a_network_that_cannot_be_trained_for_int8_is_refused(
    worker: WorkerProcess, data: Path, tmp_path: Path, make: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        qat(worker, request(saved(tmp_path, make()), data, tmp_path / "net.keras"))
    assert [file.name for file in tmp_path.iterdir()] == ["base.keras"]


def test_a_saved_model_has_no_layers(worker: WorkerProcess, data: Path, tmp_path: Path) -> None:
    residual().export(tmp_path / "exported", verbose=False)
    wanted = request(
        tmp_path / "exported", data, tmp_path / "net.keras", source={"trust": True, "preprocess": "model"}
    )
    with pytest.raises(ModelError, match="is a SavedModel, which has no layers to train: give the .keras"):
        qat(worker, wanted)


@pytest.mark.parametrize(
    ("arrays", "kind", "message"),
    [
        ({"images": np.zeros((4, *SHAPE), np.uint8)}, DataError, "has no labels"),
        ({"images": np.zeros((4, 5, 5, 3), np.uint8), "labels": [0, 1, 0, 1]}, DataError, "5"),
        (
            {"images": np.zeros((4, *SHAPE), np.uint8), "labels": [0, 1, 2, 7]},
            DataError,
            "8 classes, and the model 3: ",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused_and_leaves_nothing(
    worker: WorkerProcess, tmp_path: Path, arrays: dict[str, Any], kind: type[ResnetEdgeError], message: str
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    base = saved(tmp_path)
    with pytest.raises(kind, match=message):
        qat(worker, request(base, tmp_path / "data.npz", tmp_path / "net.keras"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["base.keras", "data.npz"]


def test_a_damaged_sidecar_is_told_before_the_training(
    worker: WorkerProcess, data: Path, tmp_path: Path
) -> None:
    base = saved(tmp_path)
    base.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        qat(worker, request(base, data, tmp_path / "net.keras"))
    assert not (tmp_path / "net.keras.checkpoint").exists()


def test_the_ranges_are_a_member_of_the_zip_that_people_can_read(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    with zipfile.ZipFile(trained[0] / "net.keras") as archive:
        member = json.loads(archive.read("resnet_edge/activation_ranges.json"))
    assert member["schema"] == 1
    assert all(low <= 0 <= high for low, high in member["ranges"].values())
