"""`resnet-edge convert` from the command to the files: one successful run, looked at from all sides."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import CLASSES, NAMES, SIZE, Ended, Place


@dataclass(frozen=True)
class Done:
    place: Place
    ended: Ended
    report: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.place.here / "dist"


@pytest.fixture(scope="session")
def done(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Done:
    place = Place(tmp_path_factory.mktemp("convert"))
    ended = place.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--schemes", "int8,fp32", "--max-drop", "1", "--latency-seconds", "0.3", "--json"),
    )
    assert ended.code == 0, ended
    return Done(place, ended, json.loads(ended.out))


def test_the_folder_holds_what_the_contract_says(done: Done) -> None:
    artifacts = {f"tiny.{s}.{f}" for s in ("fp32", "int8") for f in ("tflite", "onnx")}
    reports = {"labels.txt", "report.json", "report.md", "report.html"}
    assert {file.name for file in done.folder.iterdir()} == artifacts | reports


def test_nothing_else_is_left(done: Done) -> None:
    assert [entry.name for entry in done.place.here.iterdir()] == ["dist"]
    assert done.place.is_clean()


def test_stdout_is_the_report_and_nothing_else(done: Done) -> None:
    assert done.report == json.loads((done.folder / "report.json").read_text("utf-8"))


def test_everything_was_proved_and_timed_in_the_order_asked_for(done: Done) -> None:
    files = ["tiny.int8.tflite", "tiny.int8.onnx", "tiny.fp32.tflite", "tiny.fp32.onnx"]
    for part, key in (("artifacts", "file"), ("parity", "artifact"), ("latency", "artifact")):
        assert [row[key] for row in done.report[part]] == files
    assert {row["verdict"] for row in done.report["parity"]} == {"pass"}
    assert {row["n"] for row in done.report["parity"]} == {3000}
    assert done.report["passed"] is True
    assert done.report["failures"] == []


def test_answers_are_counted_and_pictures_stand_in_the_page_alone(done: Done) -> None:
    changes = done.report["changes"]
    assert changes["n"] == sum(changes["images"]) == sum(changes["answered"]) == 3000
    rows = {(row["artifact"], row["backend"]): row for row in done.report["parity"]}
    assert len(changes["artifacts"]) == len(rows)
    for file in changes["artifacts"]:
        row = rows[file["artifact"], file["backend"]]
        assert file["changed"] == round(3000 * (1 - row["agreement"]))
        assert sum(lost for _, lost, _ in file["classes"]) == row["lost"]
        assert sum(gained for _, _, gained in file["classes"]) == row["gained"]
    assert sum(changes["right"]) == round(3000 * row["reference_top1"])
    page = (done.folder / "report.html").read_text("utf-8")
    assert page.count('<img src="data:image/png;base64,') == len(changes["worst"])
    assert "data:image" not in (done.folder / "report.md").read_text("utf-8") + json.dumps(done.report)


def test_sizes_and_digests_are_those_of_the_files(done: Done) -> None:
    from resnet_edge.core.artifact import sha256_of

    for row in done.report["artifacts"]:
        file = done.folder / row["file"]
        assert (row["size_bytes"], row["sha256"]) == (file.stat().st_size, sha256_of(file))


def test_both_formats_have_the_same_readable_ends(done: Done) -> None:
    for row in done.report["artifacts"]:
        (image,), (scores,) = row["inputs"], row["outputs"]
        assert (image["name"], image["shape"], image["dtype"]) == ("image", [1, SIZE, SIZE, 3], "float32")
        assert (scores["name"], scores["shape"]) == ("logits", [1, CLASSES])


def test_how_the_ranges_were_chosen_is_in_every_report(done: Done) -> None:
    calibration = done.report["calibration"]
    assert calibration["tried"][0]["calibrator"] == "minmax"
    assert {
        "calibrator": calibration["calibrator"],
        "repairs": calibration["repairs"],
        "sqnr_db": calibration["sqnr_db"],
    } in calibration["tried"]
    assert calibration["sqnr_db"] >= calibration["tried"][0]["sqnr_db"]
    for name in ("report.md", "report.html"):
        assert f"{calibration['sqnr_db']:.1f} dB, judged on" in (done.folder / name).read_text("utf-8")


def test_the_calibration_images_were_looked_through(done: Done) -> None:
    lint = done.report["calibration_lint"]
    assert (lint["n"], lint["against_n"]) == (100, 3000)
    assert {"count", "leakage", "scale", "channels", "classes", "ranges"} <= set(lint["checked"])
    assert [f for f in lint["findings"] if f["severity"] != "note"] == []
    assert "error in the calibration" not in done.ended.err
    for name in ("report.md", "report.html"):
        assert "Checked in 100 images of calibration.npz" in (done.folder / name).read_text("utf-8")


def test_what_was_not_looked_into_is_said_once(done: Done) -> None:
    parts = ("explanations", "attribution", "execution", "int8_risk", "error_growth")
    assert {part: done.report[part] for part in parts} == dict.fromkeys(parts, [])
    (note,) = [note for note in done.report["notes"] if "--thorough" in note]
    assert note.startswith("layers were not compared")
    for name in ("report.md", "report.html"):
        text = (done.folder / name).read_text("utf-8")
        assert "layers were not compared" in text
        for title in ("Error growth per layer", "Where the gap comes from", "What int8 really ran as"):
            assert title not in text


def test_labels_are_those_of_the_data(done: Done) -> None:
    assert (done.folder / "labels.txt").read_text("utf-8").splitlines() == list(NAMES)


def test_the_int8_files_agree_with_each_other(done: Done) -> None:
    (note,) = [note for note in done.report["notes"] if "bit for bit" in note]
    assert "3,000 of 3,000" in note


def test_what_each_worker_cost_is_told(done: Done) -> None:
    costs = {row["stage"]: row for row in done.report["costs"]}
    assert {
        "source",
        "artifacts",
        "images",
        "calibration lint",
        "verdicts",
        "proof 1",
        "proof 2",
        "latency",
    } <= set(costs)
    assert all(row["seconds"] > 0 and row["peak_bytes"] > 10_000_000 for row in costs.values())
    assert costs["source"]["peak_bytes"] > 2 * costs["artifacts"]["peak_bytes"], "only one imports TensorFlow"


def test_progress_is_calm(done: Done) -> None:
    lines = done.ended.err.splitlines()
    assert len(lines) == len(set(lines)), "a line is repeated"
    assert len(lines) < 45
    assert any(line.startswith("reference: 3,000 done in ") for line in lines)


def test_a_few_images_cannot_prove_it_and_the_number_that_would_is_told(given: Given, place: Place) -> None:
    import numpy as np

    with np.load(given.data) as held:
        np.savez(place.here / "few.npz", images=held["images"][:30], labels=held["labels"][:30])
    ended = place.run(
        *(str(given.model), "--data", "few.npz", "--formats", "tflite,onnx", "--schemes", "fp32,fp16,int8"),
        *("--calibration", str(given.calibration), "--no-plan"),
        *("--latency-seconds", "0", "--quiet"),
    )
    assert (ended.code, ended.out) == (5, "")
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error")]
    assert line.startswith(
        "error: Float files passed by their numbers alone. The 30 images prove that the inc"
    )
    assert "files lose at most 11.4 pp (--max-drop 11.4); 0.5 pp takes 765 images" in line
    report = json.loads((place.here / "dist" / "report.json").read_text())
    assert not report["latency"]
    for row in report["parity"]:  # floats pass by their numbers: evaluation/rules.py
        assert row["verdict"] == ("inconclusive" if "int8" in row["artifact"] else "pass"), row
    assert report["verdict"]["word"] == "inconclusive"
    assert "The 30 images prove" in report["verdict"]["sentence"]


@pytest.mark.slow
def test_unlabelled_images_prove_agreement_only(given: Given, place: Place) -> None:
    import numpy as np

    with np.load(given.data) as held:
        np.savez(place.here / "unlabelled.npz", images=held["images"])
    ended = place.run(
        *(str(given.model), "--data", "unlabelled.npz", "--formats", "onnx", "--schemes", "fp32"),
        *("--latency-seconds", "0", "--json"),
    )
    assert ended.code == 0
    (row,) = json.loads(ended.out)["parity"]
    assert (row["top1"], row["drop_pp"], row["agreement"]) == (None, None, 1.0)
    assert "without labels: the top-1 changed on 0" in row["reasons"][0]


@pytest.mark.slow
def test_a_model_that_is_seldom_right_is_said_loudly(given: Given, place: Place) -> None:
    import numpy as np

    with np.load(given.data) as held:
        np.savez(place.here / "rolled.npz", images=held["images"], labels=(held["labels"] + 1) % CLASSES)
    ended = place.run(
        *(str(given.model), "--data", "rolled.npz", "--formats", "onnx", "--schemes", "fp32"),
        *("--latency-seconds", "0"),
    )
    assert ended.code == 5
    report = json.loads((place.here / "dist/report.json").read_text())
    (doubt,) = report["doubts"]
    assert doubt["sentence"] in report["notes"]
    assert "--preprocess" in doubt["sentence"]


@pytest.mark.slow
def test_calibrating_on_images_of_the_proof_is_said_loudly(given: Given, place: Place) -> None:
    ended = place.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.data)),
        *("--formats", "tflite", "--schemes", "int8", "--latency-seconds", "0"),
    )
    assert ended.code == 5
    assert "give --data and --calibration different images" in " ".join(ended.out.split())
    (line,) = [line for line in ended.err.splitlines() if line.startswith("note: error in the calibration")]
    assert "1,000 of the 3,000 images of the proof are among the calibration images" in line
    report = json.loads((place.here / "dist/report.json").read_text())
    assert line.removeprefix("note: ") in report["notes"]
    assert report["calibration_lint"]["findings"][0]["kind"] == "leakage"


@pytest.mark.slow
def test_the_bundled_model_gives_the_same_int8_numbers_in_both_formats(place: Place) -> None:
    ended = place.run("--schemes", "int8", "--latency-seconds", "0", "--json")
    assert ended.code == 0
    report = json.loads(ended.out)
    assert all(row["reference_top1"] >= 0.94 for row in report["parity"])
    assert report["model"]["source"] == "resnet20_fashion_mnist.keras (bundled)"
    (note,) = [note for note in report["notes"] if "bit for bit" in note]
    match = re.search(r"top-1 of ([\d,]+) of 10,000 images and on ([\d.]+) %", note)
    assert match is not None, note
    assert int(match[1].replace(",", "")) >= 9_995
    assert float(match[2]) >= 99.5
