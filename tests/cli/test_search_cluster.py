"""`resnet-edge search` with its trials on a Ray cluster of two nodes."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.sidecar import read_sidecar
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Place, tinted_images
from tests.workers.cluster.fixtures import RayCluster

pytest.importorskip("optuna", reason="pip install 'resnet-edge[search]'")
pytestmark = pytest.mark.slow

CHANNELS = (
    *("--choose", "pruning=none,channel", "--choose", "amount=0.25,0.5", "--choose", "multiple=2"),
    *("--choose", "scheme=int8", "--choose", "calibrator=minmax", "--choose", "repair=none"),
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "search")


@pytest.fixture
def train(tmp_path: Path) -> Path:
    file = tmp_path / "train.npz"
    images, labels = tinted_images(900, seed=7)
    np.savez(file, images=images, labels=labels, class_names=np.array(NAMES))
    return file


def searching(given: Given, train: Path | str, *words: str) -> tuple[str, ...]:
    """All configurations of a space, whatever the order in which they are drawn."""
    return (
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--train", str(train), "--batch-size", "32", "--learning-rate", "1e-3", "--seed", "3"),
        *("--max-drop", "100", "--trials", "20"),
        *words,
    )


def report(place: Place, folder: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((place.here / folder / "report.json").read_text("utf-8"))
    return document


def hashes(place: Place, folder: str) -> dict[str, str]:
    """The hash of each float and each int8 file of a study, by what decides it."""
    study = place.here / f"{folder}.study.files"
    files = [*(study / "graphs").rglob("*.tflite"), *(study / "files").rglob("*.tflite")]
    return {str(file.relative_to(study)): sha256_of(file) for file in files}


@contextmanager
def watched(folder: Path) -> Iterator[list[int]]:
    """How many networks were in the making at each look; the file of a network is there once it is whole."""
    counts, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            counts.append(len([*folder.glob("*.new/network.keras.checkpoint")]))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield counts
    finally:
        over.set()
        looking.join()


def test_trials_are_under_way_at_once_and_give_the_files_of_this_machine(
    ray_cluster: RayCluster, given: Given, train: Path, place: Place
) -> None:
    here = place.run(*searching(given, train, *CHANNELS, "--out", "here"))
    with watched(place.here / "there.study.files/networks") as counts:
        there = place.run(
            *searching(given, train, *CHANNELS, "--out", "there", "--cluster", ray_cluster.word),
            environment=ray_cluster.environment,
        )
    assert {here.code, there.code} <= {0, 5}, here.err + there.err
    assert hashes(place, "here") == hashes(place, "there")
    assert max(counts) == 2
    after = report(place, "there")
    assert after["candidates"] == 3
    stages = [cost["stage"] for cost in after["costs"] if "fine-tuning" in cost["stage"]]
    assert stages == ["fine-tuning on the cluster"] * 2
    assert not any("trained on" in note for note in after["notes"])
    for sidecar in (place.here / "there/networks").rglob("*.json"):
        recipe = read_sidecar(sidecar.with_suffix(".keras")).steps[-1].details["recipe"]
        assert recipe["data"] == str(train), "as the user calls it"
    assert place.is_clean()
    assert ray_cluster.left() == []


def test_photos_go_there_and_a_node_that_is_lost_costs_nothing(
    losing_cluster: RayCluster, given: Given, place: Place, tmp_path: Path
) -> None:
    for number, (image, label) in enumerate(zip(*tinted_images(300, seed=7), strict=True)):
        folder = tmp_path / "photos" / NAMES[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    words = searching(given, tmp_path / "photos", *CHANNELS, "--choose", "epochs=2")
    here = place.run(*words, "--out", "here")
    running = place.start(
        *(*words, "--out", "there", "--cluster", losing_cluster.word), environment=losing_cluster.environment
    )
    with watched(place.here / "there.study.files/networks") as counts:
        until(lambda: counts[-1] == 2)
        time.sleep(3)
        losing_cluster.lose_a_node()
        there = running.finish()
    assert {here.code, there.code} <= {0, 5}, here.err + there.err
    assert hashes(place, "here") == hashes(place, "there")
    assert all(trial["state"] != "failed" for trial in report(place, "there")["trials"])
    assert place.is_clean()
    assert losing_cluster.left() == []


def test_what_tf_keras_trains_is_trained_there_too(
    ray_cluster: RayCluster, given: Given, train: Path, place: Place
) -> None:
    pytest.importorskip("tensorflow_model_optimization", reason="pip install 'resnet-edge[tfmot]'")
    zeros = (
        *("--choose", "pruning=magnitude", "--choose", "amount=0.5", "--choose", "qat_epochs=0,1"),
        *("--choose", "scheme=int8", "--choose", "calibrator=minmax", "--choose", "repair=none"),
    )
    here = place.run(*searching(given, train, *zeros, "--out", "here"))
    there = place.run(
        *searching(given, train, *zeros, "--out", "there", "--cluster", ray_cluster.word),
        environment=ray_cluster.environment,
    )
    assert {here.code, there.code} <= {0, 5}, here.err + there.err
    assert hashes(place, "here") == hashes(place, "there")
    stages = {cost["stage"] for cost in report(place, "there")["costs"]}
    names = {"pruning by magnitude", "quantization-aware training"}
    assert {f"{name} on the cluster" for name in names} < stages
    assert not names & stages
    assert place.is_clean()
    assert ray_cluster.left() == []


def test_an_interrupt_ends_all_trials_and_they_go_on(
    ray_cluster: RayCluster, given: Given, train: Path, place: Place
) -> None:
    words = (*searching(given, train, *CHANNELS, "--cluster", ray_cluster.word), "--out", "there")
    running = place.start(*words, environment=ray_cluster.environment)
    with watched(place.here / "there.study.files/networks") as counts:
        until(lambda: counts[-1] == 2)
        ended = running.signal(signal.SIGINT).finish()
    assert ended.code == 130, ended.err
    assert place.is_clean()
    assert ray_cluster.left() == []
    again = place.run(*words, environment=ray_cluster.environment)
    assert again.code in (0, 5), again.err
    after = report(place, "there")
    assert after["candidates"] == 3
    assert all(trial["state"] != "failed" for trial in after["trials"])


def until(so: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)
