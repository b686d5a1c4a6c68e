"""What a report of `convert` says of files that are timed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.benchmarking.accuracy import accuracy_of, proved_places
from resnet_edge.benchmarking.files import BenchFile, bench_files
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.results.bench import Accuracy
from tests.report.conftest import proof


def folder_with(folder: Path, report: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "net.int8.onnx").write_bytes(b"int8")
    (folder / "net.fp32.onnx").write_bytes(b"fp32")
    (folder / "net.keras").write_bytes(b"keras")
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def report_of(**changes: str) -> dict[str, Any]:
    """Of both files, proved on two backends, with the hashes that they have unless changed."""
    contents = {"net.int8.onnx": "int8", "net.fp32.onnx": "fp32", "net.keras": "keras"} | changes
    scratch = {name: _sha(content) for name, content in contents.items()}
    files = [name for name in contents if name.endswith("onnx")]
    proofs = [asdict(proof(name, 0.1, backend=b)) for name in files for b in ("onnxruntime", "openvino")]
    return {
        "artifacts": [{"file": name, "sha256": scratch[name]} for name in files],
        "parity": proofs,
        "model": {"source": "elsewhere.keras", "sha256": scratch["net.keras"]},
    }


def _sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def accuracy_for(files: tuple[BenchFile, ...]) -> Accuracy:
    return accuracy_of(files, {file.name: sha256_of(file.path) for file in files})


def test_files_are_timed_where_all_of_them_were_proved_and_else_anywhere(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "dist", report_of())
    files = bench_files((folder, folder / "net.keras"))
    assert proved_places(files, accuracy_for(files)) == {("onnxruntime", "cpu"), ("openvino", "cpu")}
    (tmp_path / "other.onnx").write_bytes(b"of somebody else")
    files = bench_files((folder, tmp_path / "other.onnx"))
    assert proved_places(files, accuracy_for(files)) == frozenset()


def test_a_proof_on_another_machine_is_no_place_here(tmp_path: Path) -> None:
    report = report_of()
    for row in report["parity"]:
        row["backend"] = "onnxruntime@pi4" if row["backend"] == "onnxruntime" else row["backend"]
    files = bench_files((folder_with(tmp_path / "dist", report),))
    assert proved_places(files, accuracy_for(files)) == {("openvino", "cpu")}


def test_the_proofs_of_every_backend_and_the_model_itself(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "dist", report_of())
    accuracy = accuracy_for(bench_files((folder, folder / "net.keras")))
    assert {(p.artifact, p.backend) for p in accuracy.proofs} == {
        (name, backend)
        for name in ("net.int8.onnx", "net.fp32.onnx")
        for backend in ("onnxruntime", "openvino")
    }
    assert accuracy.references == ("net.keras",)


def test_a_file_that_is_not_what_was_proved_has_no_accuracy(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "dist", report_of(**{"net.int8.onnx": "another"}))
    accuracy = accuracy_for(bench_files((folder / "net.int8.onnx", folder / "net.fp32.onnx")))
    assert {p.artifact for p in accuracy.proofs} == {"net.fp32.onnx"}


def test_files_of_one_name_keep_their_own_proofs(tmp_path: Path) -> None:
    one = folder_with(tmp_path / "one", report_of())
    other = folder_with(tmp_path / "other", report_of())
    (other / "net.int8.onnx").write_bytes(b"changed")
    accuracy = accuracy_for(bench_files((one / "net.int8.onnx", other / "net.int8.onnx")))
    assert {p.artifact for p in accuracy.proofs} == {str(one / "net.int8.onnx")}


@pytest.mark.parametrize(
    "report", [{}, {"artifacts": 3}, {"artifacts": [{}], "parity": [{}]}, {"artifacts": [], "parity": [1]}]
)
def test_a_report_that_is_not_ours_says_nothing(tmp_path: Path, report: dict[str, Any]) -> None:
    folder = folder_with(tmp_path / "dist", report)
    assert accuracy_for(bench_files((folder / "net.int8.onnx",))) == Accuracy()
    (folder / "report.json").write_text("no JSON")
    assert accuracy_for(bench_files((folder / "net.int8.onnx",))) == Accuracy()
