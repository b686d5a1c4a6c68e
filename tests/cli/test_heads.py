"""Models of several labels and embeddings, from the model file to the app bundle, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conversion import SIZE, Place, tinted_images

NAMES = ("light", "second half")


def write(folder: Path, head: str) -> None:
    """A net with random features; `labels`: a last layer for two labels, fitted in closed form. `data.npz` is
    of its kind, `classes.npz` has one label per image."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = keras.layers.ReLU()(keras.layers.Add()([x, keras.layers.Conv2D(16, 3, padding="same")(y)]))
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    scores = keras.layers.Dense(2, activation="sigmoid", name="labels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        both = keras.Model(image, [features, scores(features)])
        pixels, tints = tinted_images(2000, seed=1)
        values, _ = both.predict(pixels.astype(np.float32), verbose=0)
        rows = np.hstack([values, np.ones((len(values), 1))])
        fitted = np.linalg.lstsq(rows, 16.0 * several(tints) - 8.0, rcond=None)[0].astype(np.float32)
        scores.set_weights([fitted[:-1], fitted[-1]])
        outputs = {"both": both.outputs, "embedding": features, "labels": both.outputs[1]}
        keras.Model(image, outputs[head]).save(folder / "net.keras")
    images, tints = tinted_images(3000, seed=2)
    np.savez(folder / "data.npz", images=images, labels=several(tints), class_names=NAMES)
    np.savez(folder / "classes.npz", images=images, labels=tints)


def several(tints: np.ndarray) -> np.ndarray:
    return np.stack([np.isin(tints, [0, 2]), tints > 1], axis=1).astype(np.int64)


def run(place: Place, command: str, *words: str, code: int = 0) -> Any:
    place.command = command
    ended = place.run(*words)
    assert ended.code == code, ended
    return ended


def converted(place: Place, data: str, *words: str) -> dict[str, Any]:
    fixed = ("--data", data, "--latency-seconds", "0", "--max-drop", "2", "--out", "dist", "--json")
    report: dict[str, Any] = json.loads(run(place, "convert", "net.keras", *fixed, *words).out)
    return report


def replayed_and_bundled(place: Place, data: str) -> dict[str, Any]:
    """golden.json of a bundle, whose self-test passes here."""
    words = ("--data", data, "--max-drop", "2", "--save-golden", "g.npz", "--quiet")
    run(place, "verify", "dist", "--reference", "net.keras", *words)
    files = [str(file) for file in sorted((place.here / "dist").glob("net.*"))]
    replayed = json.loads(run(place, "verify", *files, "--golden", "g.npz", "--json").out)
    assert {row["verdict"] for row in replayed["rows"]} == {"pass"}
    words = ("--out", "bundle", "--images", "40", "--golden", "4", "--quiet")
    run(place, "package", "dist", "--data", data, *words)
    selftest = [sys.executable, "selftest/selftest.py"]
    assert subprocess.run(selftest, cwd=place.here / "bundle", check=False).returncode == 0
    golden: dict[str, Any] = json.loads((place.here / "bundle/golden/golden.json").read_text("utf-8"))
    return golden


@pytest.mark.slow
def test_several_labels_are_judged_each_and_shipped(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write(place.here, "labels")
    report = converted(place, "data.npz", "--schemes", "fp32,int8")
    assert report["model"]["head"]["rule"] == "each of 2 labels where its probability is above 0.5"
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    for row in report["parity"]:
        assert [label["label"] for label in row["labels"]] == [0, 1]
        deciding = row["labels"][row["deciding_label"]]
        assert deciding["drop_ci95_pp"] == row["drop_ci95_pp"]
    assert (place.here / "dist/labels.txt").read_text().splitlines() == [*NAMES]
    golden = replayed_and_bundled(place, "data.npz")
    assert {(file["head"], tuple(file["thresholds"])) for file in golden["files"]} == {
        ("multilabel", (0.5, 0.5))
    }
    assert any(file["file"].startswith("android-tasks") for file in golden["files"])
    ended = run(place, "convert", "net.keras", "--data", "classes.npz", "--out", "other", code=3)
    assert "one class per image" in ended.errors[0]


@pytest.mark.slow
def test_an_embedding_is_judged_by_its_neighbours_and_shipped(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write(place.here, "embedding")
    report = converted(place, "classes.npz", "--schemes", "fp32,int8")
    assert (report["model"]["head"]["kind"], report["model"]["head"]["outputs"]) == ("embedding", 16)
    assert {artifact["outputs"][0]["name"] for artifact in report["artifacts"]} == {"embedding"}
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    assert min(row["cosine"]["mean"] for row in report["parity"]) > 0.99
    assert not (place.here / "dist/labels.txt").exists()
    golden = replayed_and_bundled(place, "classes.npz")
    assert {file["head"] for file in golden["files"]} == {"embedding"}
    assert not any(file["file"].startswith("android-tasks") for file in golden["files"])
    words = ("--out", "other", "--data", "classes.npz", "--profiles", "android-tasks")
    ended = run(place, "package", "dist", *words, code=3)
    assert "it gives an embedding" in ended.errors[0]


@pytest.mark.slow
def test_one_of_two_outputs_is_named_and_fine_tuned(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write(place.here, "both")
    ended = run(place, "convert", "net.keras", "--data", "data.npz", code=3)
    assert "2 outputs (features, labels)" in ended.errors[0]
    assert "--output NAME" in ended.errors[0]
    fixed = ("--epochs", "1", "--quiet", "--augment", "flip", "--learning-rate", "1e-5")
    run(place, "qat", "net.keras", "--output", "labels", "--data", "data.npz", "--out", "q.keras", *fixed)
    words = ("--output", "features", "--data", "classes.npz", "--out", "p.keras")
    run(place, "prune", "net.keras", "--method", "channel", "--amount", "0.3", *words, *fixed)
    kinds = []
    for file, data in (("q.keras", "data.npz"), ("p.keras", "classes.npz")):
        fast = ("--schemes", "fp32", "--formats", "tflite", "--latency-seconds", "0", "--json")
        ended = run(place, "convert", file, "--data", data, "--out", file[0], *fast)
        kinds.append(json.loads(ended.out)["model"]["head"]["kind"])
    assert kinds == ["multilabel", "embedding"]


@pytest.mark.slow
def test_what_the_sidecar_says_of_the_head_goes_along(tmp_path: Path) -> None:
    """Several labels as logits, with a threshold for each, through a pruning to the next conversion."""
    place = Place(tmp_path)
    write(place.here, "labels")
    sidecar = {"class_names": NAMES, "head": "multilabel", "threshold": [0.4, 0.6]}
    (place.here / "net.json").write_text(json.dumps(sidecar))
    tuned = (
        "--epochs",
        "1",
        "--learning-rate",
        "1e-5",
        "--amount",
        "0.1",
        "--quiet",
        "--data",
        "data.npz",
        "--out",
        "p.keras",
    )
    run(place, "prune", "net.keras", "--method", "magnitude", *tuned)
    after = json.loads((place.here / "p.json").read_text("utf-8"))
    assert (after["head"], after["threshold"], after["class_names"]) == ("multilabel", [0.4, 0.6], [*NAMES])
    words = ("--data", "data.npz", "--schemes", "fp32", "--latency-seconds", "0", "--out", "d", "--json")
    head = json.loads(run(place, "convert", "p.keras", *words).out)["model"]["head"]
    assert head["thresholds"] == [0.4, 0.6]
    assert head["rule"].endswith("above its own threshold")
