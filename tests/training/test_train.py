"""Tests of what training.train and training.checkpoint refuse. Whole runs: tests/cli/test_train.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError, OutputError, ResnetEdgeError, UnknownName, UsageError
from resnet_edge.training.recipe import Train
from resnet_edge.training.unfinished import checkpoint_folder, holds_work, training_run
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import Progress

Request = dict[str, Any]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with WorkerProcess("training", tmp_path_factory.mktemp("log") / "train.log", grant=grant) as running:
        yield running


def write(folder: Path, **arrays: Any) -> Path:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (12, 8, 8, 1)).astype(np.uint8)
    np.savez(folder / "data.npz", images=images, **arrays)
    return folder / "data.npz"


def request(data: Path | str, out: Path, resume: bool = False, **recipe: Any) -> Request:
    arch = recipe.pop("arch", "resnet8")
    small = {"data": str(data), "epochs": 2, "batch_size": 4, "validation": 0.0}
    return {"arch": arch, "recipe": {**small, **recipe}, "out": str(out), "resume": resume}


def train(worker: WorkerProcess, wanted: Request) -> dict[str, Any]:
    with training_run(Path(wanted["out"])):
        return worker.call(Train.runs, wanted, dict)


@pytest.mark.parametrize(
    ("arrays", "recipe", "kind", "message"),
    [
        ({}, {}, DataError, "has no labels"),
        ({"labels": [1] * 12}, {}, DataError, "images of one class only"),
        ({"labels": [0, 1] * 3}, {}, DataError, "it must be 12 integers"),
        ({"labels": [0, 1] * 6}, {"arch": "resnet21"}, UnknownName, "no network is called 'resnet21'"),
        ({"labels": [0, 1] * 6}, {"data": "nowhere"}, DataError, "'nowhere' is no data"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    worker: WorkerProcess,
    tmp_path: Path,
    arrays: dict[str, Any],
    recipe: dict[str, Any],
    kind: type[ResnetEdgeError],
    message: str,
) -> None:
    data = write(tmp_path, **arrays)
    recipe = {"data": str(data), **recipe}
    with pytest.raises(kind, match=message):
        train(worker, request(recipe.pop("data"), tmp_path / "net.keras", **recipe))
    assert [file.name for file in tmp_path.iterdir()] == ["data.npz"]


def test_a_run_that_diverges_is_an_error_and_leaves_nothing(worker: WorkerProcess, tmp_path: Path) -> None:
    data = write(tmp_path, labels=[0, 1] * 6)
    with pytest.raises(ResnetEdgeError, match="diverged in epoch 1 .* lower --learning-rate"):
        train(worker, request(data, tmp_path / "net.keras", learning_rate=1e30, warmup_epochs=0))
    assert [file.name for file in tmp_path.iterdir()] == ["data.npz"]


def test_a_folder_of_the_users_has_no_test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called: the accuracy on the images that were trained on is no test."""
    random = np.random.default_rng(1)
    for name in ("boots", "coats"):
        folder = tmp_path / "fashion-mnist-photos" / name
        folder.mkdir(parents=True)
        for number in range(4):
            pixels = random.integers(0, 256, (8, 8)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    # named as a user in that folder names it: the word begins like the data set's
    monkeypatch.chdir(tmp_path)
    with WorkerProcess("training", tmp_path / "log", grant=Grant(writes=(str(tmp_path),))) as here:
        reply = train(here, request("fashion-mnist-photos", tmp_path / "net.keras", epochs=1))
    assert (reply["state"]["top1"], reply["state"]["n"]) == (None, 0)


def test_nothing_to_resume(worker: WorkerProcess, tmp_path: Path) -> None:
    data = write(tmp_path, labels=[0, 1] * 6)
    with pytest.raises(UsageError, match="nothing to resume"):
        train(worker, request(data, tmp_path / "net.keras", resume=True))


@pytest.mark.slow
def test_an_unfinished_run_is_neither_overwritten_nor_mixed_with_another(tmp_path: Path) -> None:
    data, out = write(tmp_path, labels=[0, 1] * 6), tmp_path / "net.keras"

    def interrupt(news: Progress) -> None:
        if holds_work(checkpoint_folder(out)):
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        training_run(out),
        WorkerProcess("training", tmp_path / "log", grant=Grant(writes=(str(tmp_path),))) as worker,
    ):
        worker.call(Train.runs, request(data, out, epochs=200), dict, interrupt)
    assert not out.exists()
    with WorkerProcess("training", tmp_path / "log", grant=Grant(writes=(str(tmp_path),))) as worker:
        with pytest.raises(
            UsageError, match=r"another recipe or other data: .* or give it up with --overwrite"
        ):
            train(worker, request(data, out, epochs=200, seed=1))
        with pytest.raises(UsageError, match="another recipe"):
            train(worker, {**request(data, out, resume=True, epochs=1), "overwrite": True})
        write(tmp_path, labels=[1, 0] * 6)
        with pytest.raises(UsageError, match="other data"):
            train(worker, request(data, out, epochs=200))
        assert holds_work(checkpoint_folder(out))
        assert not out.exists()
        train(worker, {**request(data, out, epochs=1), "overwrite": True})
    assert out.exists()
    assert not checkpoint_folder(out).exists()


def test_a_checkpoint_without_work_is_in_nobodys_way(worker: WorkerProcess, tmp_path: Path) -> None:
    data, out = write(tmp_path, labels=[0, 1] * 6), tmp_path / "net.keras"
    folder = checkpoint_folder(out)
    folder.mkdir()
    (folder / "recipe.json").write_text("{}")
    train(worker, request(data, out, epochs=1))
    assert out.exists()


def test_the_folder_of_another_is_not_taken_for_a_checkpoint(worker: WorkerProcess, tmp_path: Path) -> None:
    data, out = write(tmp_path, labels=[0, 1] * 6), tmp_path / "net.keras"
    checkpoint_folder(out).mkdir()
    (checkpoint_folder(out) / "thesis.txt").write_text("ten years")
    with pytest.raises(OutputError, match="is in the way, and no run of ours made it"):
        train(worker, request(data, out, epochs=1))
    assert (checkpoint_folder(out) / "thesis.txt").exists()
