"""`resnet-edge verify --sequential` as a user runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.sequential import planned
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Place, tinted_images
from tests.cli.test_verify import broken_onnx, document, verified

LOOKS = planned(3000, 0.02).at


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


def verdicts(verification: dict[str, Any]) -> dict[str, str]:
    return {row["artifact"]: row["verdict"] for row in verification["parity"]}


@pytest.mark.slow
def test_what_is_decided_stops_and_the_verdicts_are_the_same(
    place: Place, given: Given, converted: Path
) -> None:
    broken_onnx(converted / "tiny.fp32.onnx", place.here / "swapped.onnx")
    files: list[str | Path] = ["swapped.onnx", converted / "tiny.int8.onnx", converted / "tiny.fp32.tflite"]
    once = document(verified(place, given, *files, "--json", "--attribute", "0", "--no-explain"))
    golden = ("--save-golden", "golden.zip", "--golden-images", "8")
    ended = verified(place, given, *files, "--sequential", "--json", *golden)
    verification = document(ended)
    assert ended.code == 4
    assert verdicts(verification) == verdicts(once)
    assert verdicts(verification) == {
        "swapped.onnx": "fail",
        "tiny.int8.onnx": "pass",
        "tiny.fp32.tflite": "pass",
    }
    n = {row["artifact"]: row["n"] for row in verification["parity"]}
    assert n["swapped.onnx"] == n["tiny.fp32.tflite"] == LOOKS[0]
    assert n["tiny.int8.onnx"] in LOOKS
    assert {row["n"] for row in once["parity"]} == {3000}
    assert verification["data"]["n"] == 3000
    assert verification["sequential"] == {"looks": [*LOOKS], "confidence": 0.9875, "seed": 0}
    assert once["sequential"] is None
    split = {(row["artifact"], row["n"]) for row in verification["attribution"]}
    assert split == {("swapped.onnx", LOOKS[0]), ("tiny.int8.onnx", LOOKS[0])}  # the other loses nothing
    assert any(
        note.startswith("stopped early (--sequential), of 3,000 images") for note in verification["notes"]
    )
    assert any("golden vectors of 8 images" in note for note in verification["notes"])
    assert all(row["drop_ci95_pp"][1] <= 2 for row in verification["parity"] if row["verdict"] == "pass")


def test_a_row_says_its_images_on_the_terminal(place: Place, given: Given, converted: Path) -> None:
    words = ("--sequential", "--attribute", "0", "--html", "page.html")
    ended = verified(place, given, converted / "tiny.fp32.tflite", *words)
    assert ended.code == 0, ended.err
    assert f"PASSED. 1 artifact verified against tiny, on {LOOKS[0]} of 3,000 images." in ended.out
    assert f"1 proof after {LOOKS[0]}" in ended.out
    assert f">{LOOKS[0]}<" in (place.here / "page.html").read_text("utf-8")


@pytest.mark.slow
def test_images_in_the_order_of_their_classes_are_shuffled(
    place: Place, given: Given, converted: Path
) -> None:
    images, labels = tinted_images(3000, seed=2)
    order = np.argsort(labels, kind="stable")
    np.savez(place.here / "sorted.npz", images=images[order], labels=labels[order], class_names=NAMES)
    words = ("--reference", str(given.model), "--data", "sorted.npz", "--max-drop", "2", "--sequential")
    ended = place.run(str(converted / "tiny.fp32.onnx"), *words, "--json")
    assert ended.code == 0, ended.err
    (row,) = document(ended)["parity"]
    assert row["n"] == LOOKS[0]


@pytest.mark.slow
def test_an_artifact_as_the_reference_and_no_labels(place: Place, given: Given, converted: Path) -> None:
    np.savez(place.here / "bare.npz", images=tinted_images(3000, seed=2)[0])
    words = ("--reference", str(converted / "tiny.fp32.tflite"), "--data", "bare.npz", "--max-drop", "2")
    files = [str(converted / f"tiny.{name}") for name in ("fp32.onnx", "int8.tflite")]
    ended = place.run(*files, *words, "--sequential", "--json")
    once = place.run(*files, *words, "--json")
    assert ended.code == once.code
    assert verdicts(document(ended)) == verdicts(document(once))
    rows = {row["artifact"]: row for row in document(ended)["parity"]}
    assert rows["tiny.fp32.onnx"]["n"] == LOOKS[0]
    assert rows["tiny.fp32.onnx"]["drop_ci95_pp"] is None


@pytest.mark.slow
def test_too_few_images_are_run_and_it_is_told(place: Place, given: Given, converted: Path) -> None:
    words = ("--sequential", "--images", "200", "--json", "--attribute", "0", "--no-explain")
    ended = verified(place, given, converted / "tiny.fp32.onnx", *words)
    assert ended.code == 0, ended.err
    verification = document(ended)
    assert (verification["parity"][0]["n"], verification["sequential"]["looks"]) == (200, [200])
    assert any("--sequential: all 200 images are run" in note for note in verification["notes"])


def test_golden_vectors_are_replayed_whole(place: Place, converted: Path) -> None:
    ended = place.run(str(converted / "tiny.fp32.onnx"), "--golden", "golden.zip", "--sequential")
    assert ended.code == 2
    assert "--sequential cannot be used with --golden" in ended.errors[0]
