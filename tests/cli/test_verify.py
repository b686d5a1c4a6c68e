"""`resnet-edge verify` as a user runs it."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Ended, Place, tinted_images


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


def verified(place: Place, given: Given, *words: str | Path) -> Ended:
    cache = {"XDG_CACHE_HOME": str(place.here.parent / "cache")}
    options = ["--reference", str(given.model), "--data", str(given.data), "--max-drop", "2"]
    return place.run(*map(str, words), *options, environment=cache)


def document(ended: Ended) -> dict[str, Any]:
    verification: dict[str, Any] = json.loads(ended.out)
    return verification


def test_a_folder_passes_and_leaves_nothing(place: Place, given: Given, converted: Path) -> None:
    ended = verified(place, given, converted, "--json")
    assert ended.code == 0, ended.err
    verification = document(ended)
    assert verification["passed"] is True
    assert {(row["artifact"], row["verdict"]) for row in verification["parity"]} == {
        (f"tiny.{scheme}.{suffix}", "pass") for scheme in ("fp32", "int8") for suffix in ("tflite", "onnx")
    }
    assert {a["scheme"] for a in verification["artifacts"]} == {"fp32", "int8"}
    for row in verification["parity"]:
        assert row["n"] == verification["data"]["n"] == 3000
        low, high = row["agreement_ci95"]
        assert low <= row["agreement"] <= high
    assert [file["artifact"] for file in verification["changes"]["artifacts"]] == [
        row["artifact"] for row in verification["parity"]
    ]
    for file, row in zip(verification["changes"]["artifacts"], verification["parity"], strict=True):
        assert file["changed"] == round(3000 * (1 - row["agreement"]))
    for explanation in verification["explanations"]:
        assert explanation["layers"] == 4
        assert 0 < explanation["compared"] <= 4
        assert bool(explanation["remarks"]) == (explanation["compared"] < 4)
        assert explanation["findings"] == []
    assert place.is_clean()
    assert not [*(place.here.parent / "cache").rglob("*.npy")]


def test_one_file_on_the_terminal(place: Place, given: Given, converted: Path) -> None:
    ended = verified(place, given, converted / "tiny.int8.tflite")
    assert ended.code == 0, ended.err
    assert "PASSED. 1 artifact verified against tiny, on 3,000 images." in ended.out
    assert "litert cpu" in ended.out


def test_a_folder_knows_how_it_was_made_from_any_place(place: Place, given: Given, converted: Path) -> None:
    """No model, no images, no limit is named; the drop of 2 points is that of `convert`."""
    ended = place.run(str(converted), "--json")
    assert ended.code == 0, ended.err
    printed = document(ended)
    assert printed["passed"] is True
    assert printed["max_drop_pp"] == 2.0
    assert printed["data"]["n"] == 3000
    assert printed["calibration_lint"]["source"] == given.calibration.name
    (note,) = [note for note in printed["notes"] if note.startswith(f"as the report in {converted} says")]
    for word in ("--reference", "--data", "--calibration", "--max-drop 2"):
        assert word in note


@pytest.mark.slow
def test_images_that_set_the_ranges_prove_nothing_here_either(place: Place, given: Given) -> None:
    images, labels = tinted_images(400, seed=4)
    np.savez(place.here / "some.npz", images=images, labels=labels)
    words = ("--schemes", "int8", "--formats", "tflite", "--latency-seconds", "0", "--max-drop", "5")
    place.command = "convert"
    ended = place.run(str(given.model), "--data", "some.npz", *words, "--out", "dist")
    assert ended.code == 0, ended.err
    place.command = "verify"
    ended = place.run("dist", "--no-explain", "--attribute", "0", "--json")
    assert ended.code == 0, ended.err
    report = json.loads((place.here / "dist" / "report.json").read_text())
    printed = document(ended)
    assert (printed["data"]["n"], report["calibration"]["n"]) == (320, 80)
    assert printed["data"]["sha256"] == report["data"]["sha256"]
    assert (
        "320 images, the same on which `convert` proved; the 80 images that it held out for calibration are "
        "not used"
    ) in printed["notes"]


def broken_onnx(source: Path, out: Path) -> None:
    """Two channels of the third convolution exchanged."""
    model = onnx.load(source)
    name = [node.input[1] for node in model.graph.node if node.op_type == "Conv"][1]
    (kernel,) = [constant for constant in model.graph.initializer if constant.name == name]
    values = numpy_helper.to_array(kernel).copy()
    values[[2, 5]] = values[[5, 2]]
    kernel.CopyFrom(numpy_helper.from_array(values, name))
    onnx.save(model, out)


def test_a_broken_layer_is_named(place: Place, given: Given, converted: Path) -> None:
    broken_onnx(converted / "tiny.fp32.onnx", place.here / "swapped.onnx")
    ended = verified(place, given, "swapped.onnx", "--json")
    assert ended.code == 4
    (explanation,) = document(ended)["explanations"]
    first = explanation["findings"][0]
    assert (first["cause"], first["certain"]) == ("output_channels", True)
    assert "output channels 2, 5 are in another order" in first["sentence"]
    assert "swapped.onnx on onnxruntime cpu" in ended.errors[0]


def test_an_artifact_as_the_reference(place: Place, given: Given, converted: Path) -> None:
    words = ("--reference", str(converted / "tiny.fp32.tflite"), "--data", str(given.data), "--max-drop", "2")
    ended = place.run(str(converted / "tiny.int8.onnx"), *words, "--json")
    assert ended.code == 0, ended.err
    assert document(ended)["reference"]["kind"] == "artifact"


def test_suffixes_in_capitals_are_the_same(place: Place, given: Given, converted: Path) -> None:
    for name in ("tiny.fp32.tflite", "tiny.fp32.onnx"):
        shutil.copy(converted / name, place.here / name.upper())
    words = ("--reference", "TINY.FP32.ONNX", "--data", str(given.data), "--max-drop", "2", "--json")
    ended = place.run("TINY.FP32.TFLITE", *words)
    assert ended.code == 0, ended.err


@pytest.mark.slow
def test_a_keras_model_is_an_artifact_too(place: Place, given: Given) -> None:
    ended = verified(place, given, given.model, "--backends", "keras", "--json", "--images", "500")
    assert ended.code == 0, ended.err
    (row,) = document(ended)["parity"]
    assert (row["backend"], row["agreement"]) == ("keras", 1.0)
    assert not any("bytes were given" in note for note in document(ended)["notes"])


def test_unlabelled_images_prove_agreement(place: Place, given: Given, converted: Path) -> None:
    np.savez(place.here / "bare.npz", images=tinted_images(600, seed=9)[0])
    words = ("--reference", str(given.model), "--data", "bare.npz", "--max-drop", "3", "--json")
    ended = place.run(str(converted / "tiny.fp32.tflite"), *words)
    assert ended.code == 0, ended.err
    (row,) = document(ended)["parity"]
    assert row["top1"] is None
    assert row["worst_class"] is None


def test_too_few_images_are_said_to_be(place: Place, given: Given, converted: Path) -> None:
    ended = verified(place, given, converted / "tiny.int8.tflite", "--images", "40")
    assert ended.code == 5
    assert "The 40 images prove that the inconclusive file loses at most" in ended.out


def test_one_class_only_proves_nothing(place: Place, given: Given, converted: Path) -> None:
    images, labels = tinted_images(400, seed=4)
    np.savez(
        place.here / "one.npz", images=images[labels == 1], labels=labels[labels == 1], class_names=NAMES
    )
    words = ("--reference", str(given.model), "--data", "one.npz", "--json")
    ended = place.run(str(converted / "tiny.fp32.onnx"), *words)
    assert ended.code == 5
    assert document(ended)["passed"] is False


def test_golden_vectors_are_saved_and_replayed(place: Place, given: Given, converted: Path) -> None:
    files = (converted / "tiny.fp32.onnx", converted / "tiny.int8.tflite")
    ended = verified(place, given, *files, "--save-golden", "golden.zip", "--golden-images", "8")
    assert ended.code == 0, ended.err
    ended = place.run(*map(str, files), "--golden", "golden.zip", "--json")
    assert ended.code == 0, ended.err
    assert document(ended)["passed"] is True
    assert {row["n"] for row in document(ended)["rows"]} == {8}
    ended = place.run(str(files[0]), "--golden", "golden.zip", "--data", "x")
    assert ended.code == 2
    assert "--data cannot be used with --golden" in ended.errors[0]


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(place: Place, given: Given, converted: Path) -> None:
    """What it kept is what the next run takes: outputs that were changed meanwhile show."""
    cache = place.here.parent / "cache"
    words = (str(converted / "tiny.fp32.tflite"), "--reference", str(given.model), "--data", str(given.data))
    running = place.start(*words, "--max-drop", "2", environment={"XDG_CACHE_HOME": str(cache)})
    running.until("tiny.fp32.tflite on litert: ")
    until_there(cache)
    running.signal(signal.SIGKILL).finish()
    (stored,) = cache.rglob("*.0-500.json")
    kept = stored.with_suffix(".npy")
    whole = np.load(kept)
    np.save(kept, np.roll(whole, 1, axis=1))
    ended = verified(place, given, converted / "tiny.fp32.tflite", "--no-explain", "--json")
    assert ended.code == 4, ended.err
    (row,) = document(ended)["parity"]
    assert row["n"] == 3000
    assert 0.8 < row["agreement"] < 0.9  # 500 of 3,000 are those that were changed
    ended = verified(
        place, given, converted / "tiny.fp32.tflite", "--json"
    )  # nothing is kept of a run that ended
    assert ended.code == 0, ended.err
    assert document(ended)["parity"][0]["agreement"] == 1.0


def until_there(cache: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and not [*cache.rglob("*.0-500.json")]:
        time.sleep(0.005)


def test_a_stale_file_beside_a_report(place: Place, given: Given, converted: Path) -> None:
    copy = Path(shutil.copytree(converted, place.here / "dist"))
    (copy / "tiny.int8.onnx").write_bytes((copy / "tiny.fp32.onnx").read_bytes())
    ended = verified(place, given, copy)
    assert ended.code == 3
    assert "is not the file that the report beside it speaks of" in ended.errors[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "nothing to verify"),
        (("gone.tflite", "--reference", "m.keras", "--data", "DATA"), 2, "gone.tflite is not there"),
        (("gone.tflite", "--reference", "m.keras", "--data", "x.npz"), 3, "--data 'x.npz' does not exist"),
        (("ALONE", "--data", "DATA"), 2, "--reference is missing"),
        (("ALONE", "--reference", "MODEL"), 2, "--data is missing"),
        (("FILE", "--reference", "MODEL", "--data", "no.npz"), 3, "does not exist"),
        (("FILE", "--reference", "no.tflite", "--data", "DATA"), 2, "--reference no.tflite is not there"),
        (
            ("FILE", "--reference", "MODEL", "--data", "DATA", "--backends", "openvin"),
            2,
            "no backend is called",
        ),
        (("FILE", "--reference", "MODEL", "--data", "DATA", "--backends", "onnxruntime"), 2, "opens tflite"),
        (("FILE", "--reference", "FILE", "--data", "DATA", "--trust"), 2, "--trust is for a Keras model"),
        (("FILE", "--reference", "FILE", "--data", "DATA", "--attribute", "9"), 2, "--attribute is for a"),
        (("FILE", "--reference", "FILE", "--data", "DATA"), 2, "is the reference itself"),
    ],
)
def test_what_cannot_be_is_one_line(
    place: Place, given: Given, converted: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    real = {"FILE": str(converted / "tiny.fp32.tflite"), "MODEL": str(given.model), "DATA": str(given.data)}
    shutil.copy(real["FILE"], place.here / "alone.tflite")  # away from its report
    real["ALONE"] = "alone.tflite"
    ended = place.run(*(real.get(word, word) for word in words))
    assert (ended.code, len(ended.errors)) == (code, 1), ended.err
    assert said in ended.errors[0]
    assert "Traceback" not in ended.err


def test_other_classes_and_other_sizes_are_refused(place: Place, given: Given, converted: Path) -> None:
    words = ("--reference", "resnet20", "--data", str(given.data), "--input-shape", "12,12,3")
    ended = place.run(str(converted / "tiny.fp32.tflite"), *words)
    assert ended.code == 3, ended.err
    assert "name the model that it was made from with --reference" in ended.errors[0]


def test_a_broken_reference_is_refused(place: Place, given: Given, converted: Path) -> None:
    (place.here / "bad.keras").write_bytes(given.model.read_bytes()[:2000])
    words = ("--reference", "bad.keras", "--data", str(given.data))
    ended = place.run(str(converted / "tiny.fp32.tflite"), *words)
    assert (ended.code, len(ended.errors)) == (3, 1)


def test_a_file_that_changes_meanwhile(place: Place, given: Given, converted: Path) -> None:
    shutil.copy(converted / "tiny.fp32.tflite", place.here / "a.tflite")
    running = place.start("a.tflite", "--reference", str(given.model), "--data", str(given.data))
    running.until("images: ")
    with (place.here / "a.tflite").open("ab") as stream:
        stream.write(b"\0")
    ended = running.finish()
    assert ended.code == 3
    assert "changed while it was being verified" in ended.errors[0]


@pytest.mark.slow
def test_what_cannot_be_read_is_told_beside_the_verdicts(place: Place, given: Given, converted: Path) -> None:
    """And a failed proof leaves no golden vectors, and its verdict."""
    broken_onnx(converted / "tiny.fp32.onnx", place.here / "swapped.onnx")
    words = ("--images", "1000", "--attribute", "0", "--save-golden", "golden.zip", "--html", "page.html")
    ended = verified(place, given, "swapped.onnx", *words)
    assert ended.code == 4, ended.err
    assert "no golden vectors" in ended.out
    assert not (place.here / "golden.zip").exists()
    assert (place.here / "page.html").exists()
    (place.here / "bad.tflite").write_bytes(b"no artifact")
    ended = verified(place, given, "swapped.onnx", "bad.tflite", *words[:4])
    assert ended.code == 3, ended.err
    assert ended.out.splitlines()[-1].startswith("NOT DONE. Not all could be done, and not all that ran")
    assert any(line.startswith("bad.tflite: ") for line in ended.out.splitlines())
