"""A model with one output, from the model file to the app bundle, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conversion import SIZE, Place, tinted_images

NAMES = ("cat", "dog")


@dataclass(frozen=True)
class Binary:
    """A model file and images to convert it with."""

    model: Path
    data: Path


def write(folder: Path, activation: str | None, sidecar: dict[str, Any] | None = None) -> Binary:
    """A net with random features and a last layer fitted in closed form; the classes are two tints each."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = keras.layers.ReLU()(keras.layers.Add()([x, keras.layers.Conv2D(16, 3, padding="same")(y)]))
    features = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(1, activation=activation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = keras.Model(image, head(features))
        pixels, tints = tinted_images(2000, seed=1)
        values = keras.Model(image, features).predict(pixels.astype(np.float32), verbose=0)
        rows = np.hstack([values, np.ones((len(values), 1))])
        fitted = np.linalg.lstsq(rows, 8.0 * np.sign(tints[:, None] - 1.5), rcond=None)[0]
        head.set_weights([fitted[:-1].astype(np.float32), fitted[-1].astype(np.float32)])
        model.save(folder / "pet.keras")
    if sidecar is not None:
        (folder / "pet.json").write_text(json.dumps(sidecar))
    images, tints = tinted_images(3000, seed=2)
    np.savez(folder / "data.npz", images=images, labels=(tints > 1).astype(np.int64), class_names=NAMES)
    return Binary(folder / "pet.keras", folder / "data.npz")


def converted(place: Place, given: Binary, *words: str) -> dict[str, Any]:
    fixed = ("--data", str(given.data), "--latency-seconds", "0", "--max-drop", "2", "--out", "dist")
    ended = place.run(str(given.model), *fixed, *words, "--json")
    assert ended.code == 0, ended
    report: dict[str, Any] = json.loads(ended.out)
    return report


def run(place: Place, command: str, *words: str) -> str:
    place.command = command
    ended = place.run(*words)
    assert ended.code == 0, ended
    return ended.out


@pytest.mark.slow
def test_a_sigmoid_is_converted_verified_replayed_and_bundled(tmp_path: Path) -> None:
    given, place = write(tmp_path, "sigmoid"), Place(tmp_path)
    report = converted(place, given, "--schemes", "fp32,int8")
    assert report["model"]["head"]["rule"] == "class 1 where its probability is above 0.5, else class 0"
    assert (report["model"]["classes"], report["model"]["output"]) == (2, "probabilities")
    assert {tuple(artifact["outputs"][0]["shape"]) for artifact in report["artifacts"]} == {(1, 1)}
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    assert min(row["top1"] for row in report["parity"]) > 0.9
    assert (place.here / "dist/labels.txt").read_text().split() == [*NAMES]
    assert "class 1 where its probability is above 0.5" in (place.here / "dist/report.md").read_text("utf-8")

    data = ("--data", str(given.data))
    run(
        place,
        "verify",
        "dist",
        *data,
        "--max-drop",
        "2",
        "--images",
        "2000",
        "--save-golden",
        "g.npz",
        "--quiet",
    )
    files = [str(file) for file in sorted((place.here / "dist").glob("pet.*"))]
    replayed = json.loads(run(place, "verify", *files, "--golden", "g.npz", "--json"))
    assert {row["verdict"] for row in replayed["rows"]} == {"pass"}

    words = ("--out", "bundle", "--images", "40", "--golden", "4", "--quiet")
    run(place, "package", "dist", *data, *words, "--profiles", "litert,android-tasks,mcu,onnx")
    golden = json.loads((place.here / "bundle/golden/golden.json").read_text("utf-8"))
    scores = {(f["file"].split("/")[0], f["output"]["shape"][1], f["threshold"]) for f in golden["files"]}
    assert {("android-tasks", 2, None), ("litert", 1, 0.5), ("mcu", 1, 0.5)} <= scores
    selftest = [sys.executable, "selftest/selftest.py"]
    assert subprocess.run(selftest, cwd=place.here / "bundle", check=False).returncode == 0


@pytest.mark.slow
def test_a_logit_with_a_threshold_is_judged_by_it(tmp_path: Path) -> None:
    """As far to the second class as the threshold says: beyond it, hardly an image is called a dog."""
    place = Place(tmp_path)
    given = write(tmp_path, None, {"class_names": NAMES, "threshold": 100.0})
    place.command = "convert"
    ended = place.run(str(given.model), "--data", str(given.data), "--out", "first", "--latency-seconds", "0")
    assert ended.code == 5
    assert "the reference predicts one class only" in ended.out.replace("\n", " ")
    (tmp_path / "pet.json").write_text(json.dumps({"class_names": NAMES, "threshold": 1.0}))
    report = converted(place, given, "--schemes", "fp32,int8", "--thorough")
    assert report["model"]["head"]["threshold"] == 1.0
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    words = ("dist", "--data", str(given.data), "--images", "40", "--quiet")
    run(place, "package", *words, "--out", "bundle", "--profiles", "litert")
    ended = place.run(*words, "--out", "other", "--profiles", "android-tasks")
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "MediaPipe Tasks takes the class with the larger probability" in ended.errors[0]


@pytest.mark.parametrize(
    ("threshold", "says"),
    [(1.5, "it is to be above 0 and below 1"), ("high", "is no sidecar of a model")],
)
def test_a_threshold_that_is_none_is_refused_in_one_line(tmp_path: Path, threshold: Any, says: str) -> None:
    given, place = write(tmp_path, "sigmoid", {"threshold": threshold}), Place(tmp_path)
    ended = place.run(str(given.model), "--data", str(given.data))
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert says in ended.errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("repair", ["none", "auto", "all"])
@pytest.mark.parametrize("calibrator", ["minmax", "auto"])
def test_every_scheme_holds_at_every_repair(
    trained: Binary, tmp_path: Path, repair: str, calibrator: str
) -> None:
    place = Place(tmp_path)
    words = ("--schemes", "fp32,fp16,dynamic,int8,int16x8", "--repair", repair, "--calibrator", calibrator)
    report = converted(place, trained, *words, "--thorough")
    assert [row["artifact"] for row in report["parity"] if row["verdict"] != "pass"] == []
    assert len(report["parity"]) == 8
    assert [finding for each in report["explanations"] for finding in each["findings"]] == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Binary:
    """A residual net with batch normalization, trained until its sigmoid is nearly saturated."""
    import keras

    folder = tmp_path_factory.mktemp("trained")
    keras.utils.set_random_seed(3)
    layers = keras.layers

    def normalized(x: Any, stride: int = 1) -> Any:
        x = layers.Conv2D(16, 3, stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9)(x)

    image = keras.Input((SIZE, SIZE, 3))
    x = layers.ReLU()(normalized(layers.Rescaling(1 / 255)(image)))
    x = layers.ReLU()(layers.Add()([x, normalized(layers.ReLU()(normalized(x)))]))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(normalized(x, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = keras.Model(image, layers.Dense(1, "sigmoid")(x))
        pixels, tints = tinted_images(3000, seed=1)
        model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
        model.fit(pixels.astype(np.float32), tints > 1, batch_size=32, epochs=6, verbose=0)
        model.save(folder / "pet.keras")
    images, tints = tinted_images(3000, seed=2)
    np.savez(folder / "data.npz", images=images, labels=(tints > 1).astype(np.int64))
    return Binary(folder / "pet.keras", folder / "data.npz")
