"""Tests of api.load_report: what `convert` and `bench` wrote, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resnet_edge import load_report
from resnet_edge.api.load_report import StoredReport
from resnet_edge.api.reports import BenchReport, extended
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.results.report import Report
from resnet_edge.report.contract import document
from tests.report import benches
from tests.report import conftest as reports

model, ordinary = reports.model, reports.ordinary


def written(folder: Path, contents: Any) -> Path:
    (folder / "report.json").write_text(json.dumps(contents))
    return folder


def test_a_report_comes_back_as_it_was(tmp_path: Path, ordinary: Report) -> None:
    stored = load_report(written(tmp_path, document(ordinary)))
    assert isinstance(stored, StoredReport)
    assert stored.parity == ordinary.parity
    assert stored.latency == ordinary.latency
    assert stored.passed is ordinary.passed
    assert stored.to_dict() == json.loads(json.dumps(document(ordinary)))
    assert [(each.file, each.sha256, each.inputs) for each in stored.artifacts] == [
        (each.file, each.sha256, each.inputs) for each in ordinary.artifacts
    ]
    assert stored.best("size", format="tflite").file == "resnet20.dynamic.tflite"
    assert stored.best(backend="litert").file == "resnet20.int8.tflite"
    with pytest.raises(ArtifactError, match="no best artifact"):
        stored.best(scheme="fp8")
    assert stored._repr_html_().startswith("<table><caption>Proved")


def test_a_file_and_its_folder_are_the_same(tmp_path: Path, ordinary: Report) -> None:
    written(tmp_path, document(ordinary))
    assert load_report(tmp_path / "report.json") == load_report(str(tmp_path))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd"])
def test_an_artifact_is_in_the_folder_of_its_report(tmp_path: Path, ordinary: Report, name: str) -> None:
    """A report may come from anywhere: what it names is looked for beside it and nowhere else."""
    contents = json.loads(json.dumps(document(ordinary)))
    contents["artifacts"][0]["file"] = name
    stored = load_report(written(tmp_path, contents))
    assert isinstance(stored, StoredReport)
    assert Path(stored.artifacts[0].path) == tmp_path / "passwd"


def test_a_bench_is_a_bench(tmp_path: Path) -> None:
    report = extended(BenchReport, benches.ordinary())
    (tmp_path / "bench.json").write_text(json.dumps(report.to_dict()))
    assert load_report(tmp_path / "bench.json") == report


@pytest.mark.parametrize("content", ["", "[]", "{", '{"parity": []}', '{"kind": "bench"}', '{"schema": 1}'])
def test_what_is_no_report_is_one_line_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(DataError, match=r"report\.json") as raised:
        load_report(tmp_path)
    assert "\n" not in str(raised.value)


def test_an_empty_folder_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"report\.json"):
        load_report(tmp_path)
