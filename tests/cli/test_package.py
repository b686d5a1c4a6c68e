"""`resnet-edge package` as a user runs it, on what `convert` wrote."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from PIL import Image

from resnet_edge.backends import _arm64_environment
from resnet_edge.bundle.converted import read_converted
from resnet_edge.core import registry
from resnet_edge.core.errors import DataError, MissingDependency
from resnet_edge.formats.tflite import read_metadata
from resnet_edge.graph.model import read_graph
from resnet_edge.report.markdown import escaped
from tests.bundle.samples.interpreters import RUNTIMES, runtime_of
from tests.bundle.samples.programs import run_with
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Ended, Place

ABSOLUTE = re.compile(r"(?<![\w.:/<])(?:/[\w.-]+){2,}|[A-Z]:\\\\|file://")
"""A path that begins at the root of some file system."""
ANOTHER = {
    "USER": "another",
    "LOGNAME": "another",
    "LC_ALL": "C",
    "LANG": "tr_TR.UTF-8",
    "TZ": "Pacific/Chatham",
    "PYTHONHASHSEED": "7",
    "COLUMNS": "40",
}
QUICK = ("--images", "40", "--golden", "6", "--profiles", "litert", "--quiet")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "package")


def packed(place: Place, converted: Path, given: Given, *words: str) -> tuple[Path, Ended]:
    ended = place.run(str(converted), "--data", str(given.data), "--out", "bundle", *words)
    return place.here / "bundle", ended


def loaded(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


@pytest.fixture(scope="module")
def whole(converted: Path, given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of all profiles, proved in every runtime that is here."""
    place = Place(tmp_path_factory.mktemp("package"), "package")
    bundle, ended = packed(place, converted, given, "--images", "40", "--quiet", "--license", "MIT")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    return bundle


def test_every_file_of_the_index_is_there_and_nothing_else(whole: Path) -> None:
    index = loaded(whole / "bundle.json")
    there = {p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file()} - {"bundle.json"}
    assert set(index["sha256"]) == there
    assert {
        "README.md",
        "labels.txt",
        "MODEL_CARD.md",
        "model_card.json",
        "preprocessing.json",
        "golden/golden.json",
        "golden/images/00.png",
    } < there
    for path, digest in index["sha256"].items():
        assert hashlib.sha256((whole / path).read_bytes()).hexdigest() == digest
    assert {file["profile"] for file in index["files"]} == {"android_tasks", "litert", "mcu", "onnx"}
    assert index["proved"] is True


def test_every_runtime_agrees_or_is_said_not_to_be_here(whole: Path) -> None:
    rows = loaded(whole / "bundle.json")["runtimes"]
    pinned = registry.declared("backends")  # those that are here; what they refuse is told as well
    assert {row["status"] for row in rows if row["backend"] in pinned} <= {"agrees", "does not open"}
    assert not [row["reason"] for row in rows if "bundle/" in row["reason"]]
    rows = [row for row in rows if row["backend"] not in pinned]
    assert {row["status"] for row in rows} <= {"agrees", "not installed"}
    ran = [row for row in rows if row["status"] == "agrees"]
    assert {"litert", "litert_reference", "onnxruntime"} <= {row["backend"] for row in ran}
    assert all(row["same_top1"] == row["n"] == 40 and row["golden_same_top1"] == 10 for row in ran)
    for row in rows:
        if row["status"] == "not installed":
            assert escaped(row["reason"]) in (whole / "README.md").read_text("utf-8")


def test_an_emulator_that_dies_is_a_row_and_no_end(place: Place, converted: Path, given: Given) -> None:
    try:
        _arm64_environment.require("litert_arm64", "ai-edge-litert", "litert")
    except MissingDependency as error:
        pytest.skip(str(error))
    environment = place.here / "arm64"
    shutil.copytree(_arm64_environment.folder() / "bin", environment / "bin", dirs_exist_ok=True)
    (environment / "bin/qemu-aarch64").write_text("#!/bin/sh\nkill -SEGV $$\n")
    for name in ("packages", "sysroot"):
        (environment / name).symlink_to(_arm64_environment.folder() / name)
    ended = place.run(
        *(str(converted), "--data", str(given.data), "--out", "bundle", *QUICK),
        environment={"RESNET_EDGE_ARM64": str(environment)},
    )
    assert ended.code == 0, ended.err
    [row] = [
        row
        for row in loaded(place.here / "bundle/bundle.json")["runtimes"]
        if row["backend"] == "litert_arm64"
    ]
    assert row["status"] == "does not open"
    assert "LiteRT for aarch64 was ended by SIGSEGV" in row["reason"]
    assert "bundle/" not in row["reason"]  # where it is made is no part of it
    assert "Traceback" not in ended.err


def test_what_is_not_changed_has_the_bytes_that_were_proved(whole: Path, converted: Path) -> None:
    for file in loaded(whole / "bundle.json")["files"]:
        same = (whole / file["path"]).read_bytes() == (converted / file["source"]).read_bytes()
        assert same == (not file["changes"]), file["path"]


def test_files_for_tasks_tell_their_labels_and_licence(whole: Path) -> None:
    metadata = read_metadata(whole / "android-tasks" / "tiny.int8.tflite")
    assert metadata is not None
    assert metadata.scores.labels[0].labels == NAMES
    assert (metadata.license, metadata.image.colour_space, metadata.image.mean) == ("MIT", "RGB", ())
    assert (whole / "labels.txt").read_text("utf-8").splitlines() == [*NAMES]


@pytest.mark.parametrize(
    "name", ["android-tasks/tiny.int8.tflite", "litert/tiny.fp32.tflite", "mcu/tiny.int8.tflite"]
)
def test_golden_vectors_hold_for_code_that_knows_nothing_of_ours(whole: Path, name: str) -> None:
    golden = loaded(whole / "golden" / "golden.json")
    file = next(entry for entry in golden["files"] if entry["file"] == name)
    assert hashlib.sha256((whole / name).read_bytes()).hexdigest() == file["sha256"]
    most = next(row["max_abs"] for row in file["tolerances"] if row["runtime"] == "litert")
    interpreter = Interpreter(str(whole / name))
    interpreter.allocate_tensors()
    image, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    classes = set()
    scores = np.fromfile(whole / file["scores"], "<f4").reshape(len(golden["images"]), -1)
    assert hashlib.sha256((whole / file["scores"]).read_bytes()).hexdigest() == file["scores_sha256"]
    for picture, digest, wanted in zip(golden["images"], file["inputs_sha256"], scores, strict=True):
        pixels = np.asarray(Image.open(whole / picture["path"]))[None].astype(np.float32)
        if file["input"]["scale"] is not None:
            pixels = pixels / file["input"]["scale"] + file["input"]["zero_point"]
        tensor = pixels.astype(file["input"]["dtype"])
        assert hashlib.sha256(tensor.tobytes()).hexdigest() == digest
        interpreter.set_tensor(image["index"], tensor)
        interpreter.invoke()
        actual = interpreter.get_tensor(output["index"])[0].astype(np.float32)
        if file["output"]["scale"] is not None:
            actual = (actual - file["output"]["zero_point"]) * file["output"]["scale"]
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=most)
        assert actual.argmax() == picture["label"]
        classes.add(int(actual.argmax()))
    assert len(classes) == len(NAMES)


def test_golden_tensors_are_those_of_the_golden_images(whole: Path) -> None:
    """For Android, and so not those of microcontrollers."""
    golden = loaded(whole / "golden" / "golden.json")
    names = [entry["file"] for entry in golden["files"] if entry["file"].endswith(".tflite")]
    folders = {
        name: whole / "golden/acceleration" / name.removesuffix(".tflite")
        for name in names
        if not name.startswith("mcu/")
    }
    assert folders
    assert {path.parent for path in (whole / "golden/acceleration").rglob("*.bin")} == {*folders.values()}
    for entry in golden["files"]:
        if entry["file"] in folders:
            folder, count = folders[entry["file"]], len(golden["images"])
            inputs = np.split(np.frombuffer((folder / "inputs.bin").read_bytes(), np.uint8), count)
            digests = [hashlib.sha256(tensor.tobytes()).hexdigest() for tensor in inputs]
            assert digests == entry["inputs_sha256"]
            outputs = np.frombuffer((folder / "outputs.bin").read_bytes(), "<f4")
            np.testing.assert_array_equal(outputs, np.fromfile(whole / entry["scores"], "<f4"))


def test_the_model_card_counts_every_class(whole: Path) -> None:
    card = loaded(whole / "model_card.json")
    assert [row["label"] for row in card["classes"]] == [*NAMES]
    assert sum(row["n"] for row in card["classes"]) == 40
    for row in card["classes"]:
        low, high = row["recall_ci95"]
        assert low <= row["recall"] == row["right"] / row["n"] <= high
    assert {row["verdict"] for row in card["accuracy"]} == {"pass"}
    assert card["license"] == "MIT"
    text = (whole / "MODEL_CARD.md").read_text("utf-8")
    for words in (
        "blå",
        "licence: MIT",
        "not said (--intended-use)",
        "It was not measured.",
        "resnet-edge convert",
    ):
        assert words in text


def test_the_arena_is_told_where_tflite_micro_is_here(whole: Path) -> None:
    index = loaded(whole / "bundle.json")
    ran = {row["file"] for row in index["runtimes"] if row["backend"] == "tflite_micro" and row["n"]}
    assert set(index["arenas"]) == ran
    for path, arena in index["arenas"].items():
        assert 0 < arena["head_bytes"] < arena["smallest_bytes"]
        line = f"`{path}` needs an arena of {arena['smallest_bytes']:,} bytes"
        assert line in (whole / "README.md").read_text("utf-8")


def test_the_self_test_passes_in_the_bundle(whole: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(whole, tmp_path / "bundle")
    command = [sys.executable, str(bundle / "selftest" / "selftest.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    files = len(loaded(whole / "golden/golden.json")["files"])
    assert done.stdout.count("passed ") == files
    assert done.stdout.endswith(f"RIGHT here. Model files that give what was proved: {files}\n")


WRONG = """
import numpy as np
from ai_edge_litert.interpreter import Interpreter

right = Interpreter.get_tensor

def wrong(self, index):
    found = right(self, index)
    return found * np.float32(0.9) if found.dtype == np.float32 else found // 10 * 9

Interpreter.get_tensor = wrong
"""


def test_the_self_test_fails_on_a_runtime_that_computes_wrongly(whole: Path, tmp_path: Path) -> None:
    """A tenth off, with the same answers: what is allowed is less."""
    (tmp_path / "sitecustomize.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, str(whole / "selftest" / "selftest.py")],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    for file in loaded(whole / "golden/golden.json")["files"]:
        name = file["file"]
        if name.endswith(".tflite"):
            assert f"FAILED {name} on litert" in done.stdout
        else:
            assert f"passed {name}" in done.stdout
    assert "the OUTPUT is off: a score by" in done.stdout
    assert "the answer is another" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("NOT RIGHT here. Failed: ")


@pytest.mark.slow
@pytest.mark.parametrize("version", RUNTIMES)
def test_the_self_test_passes_on_other_runtimes(whole: Path, version: str) -> None:
    """From the oldest Python and TensorFlow Lite that can be had to the newest."""
    python, tflite = runtime_of(version)
    done = run_with(python, whole / "selftest" / "selftest.py")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stdout
    files = [file["file"] for file in loaded(whole / "golden/golden.json")["files"]]
    for name in files:
        if name.endswith(".tflite"):
            assert f"passed {name} on {tflite}: 10 images" in done.stdout.splitlines()
        elif "onnxruntime" in RUNTIMES[version]:
            assert f"passed {name} on onnxruntime: 10 images" in done.stdout.splitlines()


def test_the_array_in_c_holds_the_model(whole: Path) -> None:
    text = (whole / "mcu" / "model_tiny.c").read_text("utf-8")
    numbers = text[text.index("{") + 1 : text.index("}")].replace(",", " ").split()
    assert bytes(int(number, 16) for number in numbers) == (whole / "mcu" / "tiny.int8.tflite").read_bytes()
    header = (whole / "mcu" / "model_tiny.h").read_text("utf-8")
    operators = read_graph(whole / "mcu" / "tiny.int8.tflite").nodes
    assert f"#define MODEL_TINY_OPERATORS {len({node.op for node in operators})}\n" in header
    assert "resolver.AddFullyConnected() == 0" in header


@pytest.mark.slow
def test_the_same_gives_the_same_bytes_wherever_it_is_made(
    converted: Path, given: Given, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In two folders, from two copies, with programs that are missing in two places; by two users, with their
    own languages, time zones, hashes and rights of new files."""
    bundles = []
    for name, umask, user in (("a", 0o022, {}), ("b c", 0o077, ANOTHER)):
        root = tmp_path / name
        root.mkdir()
        (root / "home").mkdir()
        before = os.umask(umask)
        request.addfinalizer(partial(os.umask, before))
        copied, data = root / "dist", root / "test.npz"
        shutil.copytree(converted, copied)
        shutil.copy(given.data, data)
        place = Place(root, "package")
        ended = place.run(
            *(str(copied), "--data", str(data), "--out", str(root / "bundle"), "--images", "40"),
            *("--golden", "6", "--profiles", "litert,mcu,onnx", "--quiet"),
            environment={f"RESNET_EDGE_{each}": f"{root}/none" for each in ("VELA", "ARM64", "MEDIAPIPE")}
            | ({"HOME": str(root / "home"), **user} if user else {}),
        )
        os.umask(before)
        assert ended.code == 0, ended.err
        bundle = root / "bundle"
        bundles.append({p.relative_to(bundle): p.read_bytes() for p in bundle.rglob("*") if p.is_file()})
    assert bundles[0] == bundles[1]
    for path, content in bundles[0].items():
        if path.suffix in (".json", ".md", ".txt", ".config"):
            assert not ABSOLUTE.search(content.decode("utf-8")), path
        for place_of_ours in (tmp_path, Path(sys.prefix), Path.home(), Path(__file__).parents[2]):
            assert str(place_of_ours).encode() not in content, path
    assert b"Vela is not installed" in bundles[0][Path("ACCELERATORS.md")]


@pytest.mark.slow
def test_an_earlier_bundle_is_replaced_when_asked_for(place: Place, converted: Path, given: Given) -> None:
    bundle, ended = packed(place, converted, given, *QUICK)
    assert ended.code == 0, ended.err
    _, ended = packed(place, converted, given, *QUICK)
    assert (ended.code, len(ended.err.splitlines())) == (3, 1)  # before any work
    assert "give --overwrite" in ended.err
    (bundle / "labels.txt").write_text("old")
    _, ended = packed(place, converted, given, *QUICK, "--overwrite", "--images", "41")
    assert ended.code == 0, ended.err
    assert (bundle / "labels.txt").read_text("utf-8").splitlines() == [*NAMES]
    assert place.is_clean()


@pytest.mark.parametrize("out", ["same", "labels"])
def test_what_is_read_is_not_written(place: Place, copy: Path, given: Given, out: str) -> None:
    (place.here / "texts").mkdir()
    (place.here / "texts/de.txt").write_text("a\nb\nc\nd\n")
    words = ("--out", str(copy)) if out == "same" else ("--out", "texts", "--labels-in", "de=texts/de.txt")
    ended = place.run(str(copy), "--data", str(given.data), *words, "--overwrite")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "would take the place of" in ended.err


def test_a_folder_that_convert_did_not_write(place: Place, converted: Path, given: Given) -> None:
    empty = place.here / "empty"
    empty.mkdir()
    _, ended = packed(place, empty, given, *QUICK)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "holds no report.json" in ended.errors[0]
    (empty / "report.json").write_text('{"schema": 1}')
    _, ended = packed(place, empty, given, *QUICK)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "no report of `resnet-edge convert`" in ended.errors[0]


@pytest.fixture
def copy(place: Place, converted: Path) -> Path:
    return Path(shutil.copytree(converted, place.here / "dist"))


def test_a_file_that_is_not_the_proved_one(place: Place, copy: Path, given: Given) -> None:
    path = copy / "tiny.int8.tflite"
    path.write_bytes(path.read_bytes() + b"\0")
    bundle, ended = packed(place, copy, given, *QUICK)
    assert ended.code == 3
    assert "is not the file that was proved" in ended.errors[0]
    assert not bundle.exists()


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/b", "..", ""])
@pytest.mark.parametrize("key", ["name", "file"])
def test_a_report_whose_names_lead_elsewhere_is_refused(
    place: Place, copy: Path, given: Given, key: str, name: str
) -> None:
    report = loaded(copy / "report.json")
    (report["model"] if key == "name" else report["artifacts"][0])[key] = name
    (copy / "report.json").write_text(json.dumps(report))
    before = {*place.here.parent.rglob("*")}
    bundle, ended = packed(place, copy, given, *QUICK)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "no name for a file in a folder" in ended.errors[0]
    assert {*place.here.parent.rglob("*")} == before


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"inputs": []}, {"outputs": []}, {"inputs": [{"name": "x", "shape": [1], "dtype": "f"}]}],
)
def test_a_report_of_another_form_is_refused(copy: Path, change: dict[str, Any]) -> None:
    report = loaded(copy / "report.json")
    (report if "schema" in change else report["artifacts"][0]).update(change)
    (copy / "report.json").write_text(json.dumps(report))
    with pytest.raises(DataError, match=r"is no report of `resnet-edge convert` .*: convert the model again"):
        read_converted(copy)


def spoiled(copy: Path, verdict: str) -> None:
    report = loaded(copy / "report.json")
    for row in report["parity"]:
        if row["artifact"] == "tiny.int8.tflite":
            row["verdict"], row["reasons"] = verdict, ["it lost 9 pp"]
    (copy / "report.json").write_text(json.dumps(report))


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_an_artifact_without_a_passing_proof_is_refused(
    place: Place, copy: Path, given: Given, verdict: str
) -> None:
    spoiled(copy, verdict)
    bundle, ended = packed(place, copy, given, *QUICK)
    assert ended.code == 3
    assert "did not pass on litert cpu (it lost 9 pp)" in ended.errors[0]
    assert "--unproved" in ended.errors[0]
    assert not bundle.exists()


def test_unproved_is_said_inside(place: Place, copy: Path, given: Given) -> None:
    spoiled(copy, "fail")
    bundle, ended = packed(place, copy, given, *QUICK, "--unproved")
    assert ended.code == 0, ended.err
    assert "**Not proved:** tiny.int8.tflite did not pass" in (bundle / "README.md").read_text("utf-8")
    index = loaded(bundle / "bundle.json")
    assert index["proved"] is False
    assert index["command"].endswith("--unproved")


def test_labels_of_the_wrong_number(place: Place, copy: Path, given: Given) -> None:
    (copy / "labels.txt").write_text("one\ntwo\n")
    _, ended = packed(place, copy, given, *QUICK)
    assert ended.code == 3
    assert "names 2 classes, and the model has 4" in ended.errors[0]


def test_labels_that_were_moved_are_refused(place: Place, copy: Path, given: Given) -> None:
    names = (copy / "labels.txt").read_text("utf-8").splitlines()
    (copy / "labels.txt").write_text("\n".join([names[1], names[0], *names[2:]]) + "\n", "utf-8")
    bundle, ended = packed(place, copy, given, *QUICK)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "has the names that convert wrote in another order" in ended.errors[0]
    assert not bundle.exists()


def test_labels_that_were_changed_are_told(place: Place, copy: Path, given: Given) -> None:
    names = (copy / "labels.txt").read_text("utf-8").splitlines()
    (copy / "labels.txt").write_text("\r\n".join(["Bernstein", *names[1:]]), "utf-8")
    words = ("--profiles", "litert", "--schemes", "fp32", "--images", "4", "--golden", "2")
    bundle, ended = packed(place, copy, given, *words)
    assert ended.code == 0, ended.err
    assert "note: labels.txt was changed after convert wrote it" in ended.out.replace("\n", " ")
    assert "**Note:** labels.txt was changed after convert" in (bundle / "README.md").read_text("utf-8")
    assert len(loaded(bundle / "bundle.json")["notes"]) == 1
    assert (bundle / "labels.txt").read_text("utf-8").splitlines() == ["Bernstein", *names[1:]]


def test_labels_with_other_line_ends_are_the_same(place: Place, copy: Path) -> None:
    names = (copy / "labels.txt").read_text("utf-8").splitlines()
    (copy / "labels.txt").write_bytes("\ufeff".encode() + "\r\n".join(names).encode())
    assert read_converted(copy).notes == ()


def test_labels_that_are_the_same(place: Place, copy: Path, given: Given) -> None:
    names = (copy / "labels.txt").read_text("utf-8").splitlines()
    (copy / "labels.txt").write_text("\n".join([*names[:-1], names[0]]) + "\n", "utf-8")
    _, ended = packed(place, copy, given, *QUICK)
    assert ended.code == 3
    assert f"classes 1 and {len(names)} are both called {names[0]!r}" in ended.errors[0]


@pytest.mark.slow
def test_labels_in_another_language(place: Place, converted: Path, given: Given) -> None:
    (place.here / "de.txt").write_text("Käse\nBrötchen\n茶\nد\n", "utf-8")
    words = ("--profiles", "android-tasks", "--schemes", "fp32", "--images", "4", "--golden", "2", "--quiet")
    bundle, ended = packed(place, converted, given, *words, "--labels-in", "de=de.txt")
    assert ended.code == 0, ended.err
    (only,) = (bundle / "android-tasks").iterdir()
    assert only.name == "tiny.fp32.tflite"
    metadata = read_metadata(only)
    assert metadata is not None
    assert [(f.name, f.locale) for f in metadata.scores.labels] == [
        ("labels.txt", ""),
        ("labels_de.txt", "de"),
    ]
    assert metadata.scores.labels[1].labels == ("Käse", "Brötchen", "茶", "د")
    assert "--schemes fp32 --labels-in de=de.txt" in loaded(bundle / "bundle.json")["command"]
    (place.here / "de.txt").write_text("Käse\nKäse\n", "utf-8")
    shutil.rmtree(bundle)
    _, ended = packed(place, converted, given, *words, "--labels-in", "de=de.txt")
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "de.txt names 2 classes" in ended.errors[0]
    _, ended = packed(place, converted, given, *words, "--labels-in", "de.txt")
    assert ended.code == 2
    assert "is not LANGUAGE=FILE" in ended.err


def test_what_accelerators_take_is_told_with_its_source(whole: Path) -> None:
    rows = loaded(whole / "bundle.json")["outlooks"]
    outlooks = [row["outlook"] for row in rows if row["outlook"] is not None]
    assert {"xnnpack", "litert_gpu", "coreml", "nnapi_ep"} <= {outlook["delegate"] for outlook in outlooks}
    text = (whole / "ACCELERATORS.md").read_text("utf-8")
    for row in rows:
        assert f"`{row['file']}`" in text
        assert (row["outlook"] is None) == bool(row["reason"])  # Vela alone may be missing
    assert {row["delegate"] for row in rows if row["outlook"] is None} <= {"ethos_u"}
    assert all(outlook["title"] in text for outlook in outlooks)


def test_an_output_folder_that_exists(place: Place, converted: Path, given: Given) -> None:
    (place.here / "bundle").mkdir()
    _, ended = packed(place, converted, given, *QUICK)
    assert ended.code == 3
    assert "exists and is a folder" in ended.errors[0]


def test_data_as_the_report_names_them(place: Place, converted: Path, given: Given) -> None:
    """From wherever it runs; a file of that name may be here, and be another."""
    shutil.copy(given.calibration, place.here / given.data.name)
    ended = place.run(str(converted), "--out", "bundle", *QUICK)
    assert ended.code == 0, ended.err
    golden = loaded(place.here / "bundle/golden/golden.json")
    named, ended = packed(place, converted, given, *QUICK, "--overwrite")
    assert ended.code == 0, ended.err
    assert loaded(named / "golden/golden.json") == golden


def test_data_that_are_no_longer_where_the_report_says(place: Place, copy: Path, given: Given) -> None:
    moved = loaded(copy / "report.json")
    moved["inputs"]["data"] = f"../gone/{given.data.name}"
    (copy / "report.json").write_text(json.dumps(moved), "utf-8")
    shutil.copy(given.calibration, place.here / given.data.name)
    ended = place.run(str(copy), "--out", "bundle", *QUICK)
    assert ended.code == 3
    assert "give --data" in ended.errors[0]


def test_an_unknown_profile_is_wrong_usage(place: Place, converted: Path, given: Given) -> None:
    _, ended = packed(place, converted, given, "--profiles", "android")
    assert ended.code == 2
    assert "android-tasks, litert, mcu, mcu-integer, onnx" in ended.errors[0]


def test_a_profile_that_has_nothing_to_hold(place: Place, copy: Path, given: Given) -> None:
    report = loaded(copy / "report.json")
    report["artifacts"] = [entry for entry in report["artifacts"] if entry["format"] == "tflite"]
    (copy / "report.json").write_text(json.dumps(report))
    _, ended = packed(place, copy, given, "--profiles", "onnx", "--quiet")
    assert ended.code == 3
    assert "the profile onnx has nothing to hold: no int8 in onnx was converted" in ended.errors[0]


@pytest.mark.slow
def test_what_was_converted_alone_ships(place: Place, given: Given) -> None:
    """As a point of a search does. Beside others it comes where --schemes names it."""
    place.command = "convert"
    words = (str(given.model), "--data", str(given.data), "--schemes", "dynamic,fp32", "--max-drop", "5")
    assert place.run(*words, "--formats", "tflite", "--out", "dist").code == 0
    place.command = "package"
    for more, schemes in (((), ["fp32"]), (("--schemes", "dynamic"), ["dynamic"])):
        ended = place.run("dist", "--data", str(given.data), "--out", "bundle", "--overwrite", *QUICK, *more)
        assert ended.code == 0, ended.err
        index = loaded(place.here / "bundle" / "bundle.json")
        assert [entry["scheme"] for entry in index["files"]] == schemes
    report = loaded(place.here / "dist" / "report.json")
    report["artifacts"] = [entry for entry in report["artifacts"] if entry["scheme"] == "dynamic"]
    (place.here / "dist" / "report.json").write_text(json.dumps(report))
    ended = place.run("dist", "--data", str(given.data), "--out", "bundle", "--overwrite", *QUICK)
    assert ended.code == 0, ended.err
    assert (place.here / "bundle" / "litert" / f"{given.model.stem}.dynamic.tflite").is_file()


@pytest.mark.slow
def test_four_channels_get_the_profiles_that_can_hold_them(tmp_path: Path) -> None:
    image = keras.Input((12, 12, 4))
    scores = layers.Dense(4)(layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(image)))
    with warnings.catch_warnings(action="ignore"):
        keras.Model(image, scores).save(tmp_path / "four.keras")
    noise = np.random.default_rng(0).integers(0, 256, (120, 3, 3, 4)).repeat(4, axis=1).repeat(4, axis=2)
    np.savez(tmp_path / "test.npz", images=noise.astype(np.uint8))
    data = ("--data", str(tmp_path / "test.npz"))
    place = Place(tmp_path)
    words = ("--schemes", "fp32,int8", "--latency-seconds", "0", "--out", "dist", "--preprocess", "unit")
    assert place.run(str(tmp_path / "four.keras"), *data, *words).code in (0, 4, 5)
    place.command = "package"
    packing = ("dist", *data, "--out", "bundle", "--unproved", "--images", "20", "--golden", "4")
    ended = place.run(*packing)
    assert ended.code == 0, ended.err
    index = loaded(place.here / "bundle/bundle.json")
    assert {file["profile"] for file in index["files"]} == {"litert", "mcu", "onnx"}
    why = "MediaPipe Tasks and ML Kit give it photos, and it takes 4 channels"
    assert any(why in line for line in index["left"])
    assert "left out: android-tasks has no four.int8.tflite" in ended.out
    done = subprocess.run([sys.executable, place.here / "bundle/selftest/selftest.py"], capture_output=True)
    assert done.returncode == 0, done.stdout
    ended = place.run(*packing, "--overwrite", "--profiles", "android-tasks")
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert why in ended.errors[0]
    ended = place.run(*packing, "--overwrite", "--resize", "crop")
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert "photos have 1 or 3 channels" in ended.errors[0]
