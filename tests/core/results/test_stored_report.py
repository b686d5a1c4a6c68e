"""What is read of a report.json, and what of one that is not ours."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.results.stored_report import (
    Reported,
    ReportedFile,
    ReportedImages,
    ReportedModel,
    data_there,
    report_in,
    reported,
    same_data,
)
from tests.report.conftest import proof

FILES = [{"file": "a.int8.onnx", "sha256": "1"}, {"file": "a.fp32.onnx", "sha256": "2"}]
REPORT = {
    "schema": 1,
    "artifacts": FILES,
    "model": {"source": "a.keras", "sha256": "3"},
    "parity": [asdict(proof("a.int8.onnx", 0.1))],
}


def folder_with(folder: Path, document: Any) -> Path:
    (folder / "report.json").write_text(json.dumps(document))
    return folder


def test_what_a_report_says(tmp_path: Path) -> None:
    stored = reported(folder_with(tmp_path, REPORT))
    assert stored.schema == 1
    assert stored.files == (ReportedFile("a.int8.onnx", "1"), ReportedFile("a.fp32.onnx", "2"))
    assert stored.sha256 == {"a.int8.onnx": "1", "a.fp32.onnx": "2"}
    assert stored.model == ReportedModel("a.keras", "3")
    assert [each.artifact for each in stored.proofs] == ["a.int8.onnx"]


def test_how_images_stand_to_those_of_the_proof_is_said() -> None:
    proof = ReportedImages(10_000, "ab", "photos")
    assert proof.compared(10_000, "ab", same_data=True) == "the same on which `convert` proved"
    assert proof.compared(1000, "cd", same_data=True) == "of the 10,000 on which `convert` proved"
    assert proof.compared(1000, "cd", same_data=False).startswith("others than the 10,000")
    assert proof.compared(10_000, "cd", same_data=True).startswith("others than the 10,000")


@pytest.mark.parametrize(
    ("calibration", "inputs", "count"),
    [
        (None, {"data": "photos"}, 0),
        ({"source": "photos", "n": 20, "sha256": ""}, {"data": "photos"}, 20),
        ({"source": "photos", "n": 20, "sha256": ""}, {"data": "photos", "calibration": "photos"}, 0),
        ({"source": "others", "n": 20, "sha256": ""}, {"data": "photos"}, 0),
        ({"source": "photos", "n": "20", "sha256": ""}, {"data": "photos"}, 0),
    ],
)
def test_it_is_known_how_many_images_were_held_out_for_calibration(
    tmp_path: Path, calibration: Any, inputs: dict[str, str], count: int
) -> None:
    data = {"source": "photos", "n": 80, "sha256": ""}
    parts = {"calibration": calibration, "inputs": inputs, "data": data}
    assert reported(folder_with(tmp_path, {**REPORT, **parts})).held_out == count
    assert reported(folder_with(tmp_path, REPORT)).held_out == 0


def test_one_data_has_many_paths(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert same_data(str(tmp_path / "photos"), str(tmp_path / "photos" / ".." / "photos"))
    assert not same_data(str(tmp_path / "photos"), str(tmp_path))
    assert not same_data(None, None)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"schema": "1", "artifacts": 3, "model": [], "parity": [{}]}]
)
def test_one_that_is_not_ours_says_nothing(tmp_path: Path, document: Any) -> None:
    folder = tmp_path if document is None else folder_with(tmp_path, document)
    assert reported(folder) == Reported(schema=None, files=None, model=None, proofs=())


def test_what_is_wrong_with_one_part_leaves_the_others(tmp_path: Path) -> None:
    stored = reported(folder_with(tmp_path, {**REPORT, "artifacts": [{"name": "a"}]}))
    assert stored.files is None
    assert stored.sha256 == {}
    assert stored.model == ReportedModel("a.keras", "3")


def test_a_file_without_a_hash_is_held_against_none(tmp_path: Path) -> None:
    stored = reported(folder_with(tmp_path, {**REPORT, "artifacts": [FILES[0], {"file": "b.onnx"}]}))
    assert len(stored.files or ()) == 2
    assert stored.sha256 == {}


def test_who_works_on_a_report_is_told_that_it_is_none(tmp_path: Path) -> None:
    folder_with(tmp_path, [])
    with pytest.raises(DataError, match="is no report .*: convert again$"):
        report_in(tmp_path / "report.json", "report", "convert again")


def test_data_is_found_from_within_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "photos").mkdir()
    assert data_there(folder, "../photos") == str(folder / "../photos")
    assert data_there(folder, "fashion-mnist:../photos") == f"fashion-mnist:{folder / '../photos'}"
    assert data_there(folder, "fashion-mnist") == "fashion-mnist"
    for word in ("", "../gone", "fashion-mnist:../gone", "a\0b", "x" * 5000, "gone (bundled)"):
        assert data_there(folder, word) is None
