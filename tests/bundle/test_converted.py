"""Tests of bundle.converted: a folder that is no longer what its report says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.bundle.converted import Converted, check_apart, read_converted
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.results.label_names import label_names
from resnet_edge.core.results.report import Report
from resnet_edge.report.contract import document
from tests.report import conftest as reports

model, ordinary = reports.model, reports.ordinary


@pytest.fixture
def folder(tmp_path: Path, ordinary: Report) -> Path:
    """As `convert` leaves one, of files that nothing opens."""
    artifacts = []
    for artifact in ordinary.artifacts:
        path = tmp_path / artifact.file
        path.write_bytes(artifact.file.encode())
        artifacts.append(replace(artifact, path=str(path), sha256=sha256_of(path)))
    (tmp_path / "labels.txt").write_text("\n".join(reports.CLASSES) + "\n")
    report = replace(
        ordinary,
        artifacts=tuple(artifacts),
        machine={"cpu": "Example CPU", "usable_cores": 2, "command": "resnet-edge convert"},
        calibration=None,
        labels=label_names(reports.CLASSES),
        data={**ordinary.data, "sha256": "ab" * 32, "n": 10_000},
    )
    (tmp_path / "report.json").write_text(json.dumps(document(report)))
    return tmp_path


def changed(folder: Path, change: Any) -> Path:
    report = json.loads((folder / "report.json").read_text())
    change(report)
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_a_folder_is_read_as_it_was_written(folder: Path, ordinary: Report) -> None:
    converted = read_converted(folder)
    assert converted.labels == reports.CLASSES
    assert [artifact.path for artifact in converted.artifacts] == [
        str(folder / artifact.file) for artifact in ordinary.artifacts
    ]
    assert (converted.notes, converted.proofs) == ((), ordinary.parity)
    assert [converted.unproved(artifact) for artifact in converted.artifacts] == [None] * len(
        converted.artifacts
    )


def test_a_file_that_changed_or_went_is_told(folder: Path) -> None:
    path = folder / "resnet20.int8.onnx"
    path.write_bytes(b"another")
    with pytest.raises(ArtifactError, match=r"int8\.onnx is not the file that was proved"):
        read_converted(folder)
    path.unlink()
    with pytest.raises(ArtifactError, match=r"int8\.onnx is not there, and the report speaks of it"):
        read_converted(folder)


@pytest.mark.parametrize("name", ["../a.onnx", "/etc/passwd", "a/b.onnx", ".."])
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(DataError, match="which is no name for a file in a folder: the report was changed"):
        read_converted(changed(folder, lambda report: report["artifacts"][0].update(file=name)))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_what_is_no_report_is_one_line(folder: Path, content: str) -> None:
    (folder / "report.json").write_text(content)
    with pytest.raises(DataError, match=r"report\.json") as raised:
        read_converted(folder)
    assert "\n" not in str(raised.value)


def test_labels_in_another_order_are_refused_and_other_names_are_told(folder: Path) -> None:
    labels = [*reports.CLASSES]
    (folder / "labels.txt").write_text("\n".join(reversed(labels)))
    with pytest.raises(DataError, match="in another order, and an app would show the wrong one"):
        read_converted(folder)
    (folder / "labels.txt").write_text("\n".join(["Pumps", *labels[1:]]))
    (note,) = read_converted(folder).notes
    assert note.startswith("labels.txt was changed after convert wrote it")
    (folder / "labels.txt").write_text("\n".join(labels[1:]))
    with pytest.raises(DataError, match="names 9 classes, and the model has 10: convert it again"):
        read_converted(folder)


def test_two_classes_of_one_name_are_told_by_their_lines() -> None:
    check_apart(Path("labels.txt"), ("crane", "stork"))
    with pytest.raises(DataError, match="classes 1 and 3 are both called 'crane', and apps could not"):
        check_apart(Path("labels.txt"), ("crane", "stork", "crane"))


def test_why_an_artifact_is_not_proved_is_a_sentence(folder: Path) -> None:
    converted: Converted = read_converted(folder)
    artifact, *_ = converted.artifacts
    row = next(row for row in converted.proofs if row.artifact == artifact.file)
    failed = replace(row, verdict="fail", backend="openvino", reasons=("the drop is too large",))
    assert replace(converted, proofs=(row, failed)).unproved(artifact) == (
        f"{artifact.file} did not pass on openvino cpu (the drop is too large)"
    )
    assert replace(converted, proofs=()).unproved(artifact) == f"{artifact.file} was not proved"


def test_it_is_known_on_which_images_it_was_proved(folder: Path) -> None:
    def change(report: dict[str, Any]) -> None:
        report["data"] |= {"source": "photos"}
        report |= {"calibration": {**report["data"], "n": 20}, "inputs": {"data": "photos"}}

    converted = read_converted(changed(folder, change))
    assert (converted.held_out, converted.proved_on.source) == (20, "photos")
    assert converted.proved_on.n == 10_000
