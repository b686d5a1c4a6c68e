"""Tests of api.reports: which artifact is the best, and what a notebook shows."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from resnet_edge.api.reports import (
    BenchReport,
    CompressionReport,
    ConvertReport,
    TrainReport,
    best_of,
    display_of,
    extended,
)
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.core.sidecar import State, Step
from resnet_edge.report.bench_words import answer
from tests.report import benches
from tests.report.conftest import EVIL, artifact, proof, timing

FAST, SMALL = artifact("net.int8.onnx", 900), artifact("net.int8.tflite", 300)
BOTH = (FAST, SMALL)
PROVED = (proof(FAST.file), proof(SMALL.file))
TIMED = (timing(FAST.file, 0.5, 2.0), timing(SMALL.file, 0.9, 1.0))


def test_the_best_is_the_fastest_or_the_smallest() -> None:
    assert best_of(BOTH, PROVED, TIMED, "latency") == FAST
    assert best_of(BOTH, PROVED, TIMED, "size") == SMALL
    assert best_of(BOTH, PROVED, (), "size") == SMALL


def test_a_file_counts_as_on_its_fastest_backend() -> None:
    elsewhere = timing(SMALL.file, 0.4, 1.0, "openvino")
    assert best_of(BOTH, PROVED, (*TIMED, elsewhere), "latency") == SMALL
    assert best_of(BOTH, PROVED, (elsewhere, *TIMED), "latency") == SMALL


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_what_did_not_pass_on_every_backend_is_not_the_best(verdict: Verdict) -> None:
    doubt: Parity = replace(proof(FAST.file, backend="openvino"), verdict=verdict)
    assert best_of(BOTH, (*PROVED, doubt), TIMED, "latency") == SMALL
    assert best_of((FAST, SMALL), (doubt, proof(SMALL.file)), TIMED, "latency") == SMALL
    with pytest.raises(ArtifactError, match="none of them passed every proof: `parity` says why"):
        best_of((FAST,), (*PROVED, doubt), TIMED, "latency")


def test_what_was_not_proved_is_not_the_best() -> None:
    with pytest.raises(ArtifactError, match="none of them passed every proof"):
        best_of(BOTH, (), TIMED, "size")


def test_without_a_latency_the_way_out_is_told() -> None:
    with pytest.raises(ArtifactError, match="none was timed: .* latency_seconds .* or ask by='size'"):
        best_of(BOTH, PROVED, (), "latency")


def test_of_equals_the_first_by_name_is_the_best() -> None:
    """So that two runs choose the same."""
    twin = artifact("net.fp32.tflite", 300)
    rows = (*PROVED, proof(twin.file))
    assert best_of((SMALL, twin), rows, (), "size") == best_of((twin, SMALL), rows, (), "size") == twin


def test_a_report_chooses_by_format_scheme_and_backend(ordinary_report: ConvertReport) -> None:
    assert ordinary_report.best(format="tflite", backend="litert").format == "tflite"
    assert ordinary_report.best("size", scheme="fp32", format="onnx").file == "resnet20.fp32.onnx"
    with pytest.raises(ArtifactError, match="no best artifact: none was timed on 'openvino', but on litert"):
        ordinary_report.best(backend="openvino")
    with pytest.raises(ArtifactError, match="none is of this format and scheme"):
        ordinary_report.best(format="tflight")
    with pytest.raises(UsageError, match="^--by 'speed': give one of latency, size$"):
        ordinary_report.best("speed")  # type: ignore[arg-type]  # what is no such word is tested


@pytest.fixture
def ordinary_report() -> ConvertReport:
    from resnet_edge.core.head import Head
    from resnet_edge.core.model_facts import ModelFacts
    from resnet_edge.core.preprocessing import PRESETS
    from resnet_edge.core.results.report import Report

    files = ("resnet20.fp32.tflite", "resnet20.fp32.onnx", "resnet20.int8.tflite")
    report = Report(
        resnet_edge="0.1.0",
        versions={},
        machine={},
        model=ModelFacts(
            name=EVIL,
            source="net.keras",
            sha256="cd" * 32,
            parameters=1,
            macs=1,
            input_shape=(28, 28, 1),
            head=Head.of_classes(10, "logits"),
            class_names=(),
            preprocessing=PRESETS["model"],
        ),
        data={},
        calibration={},
        max_drop_pp=0.5,
        artifacts=tuple(artifact(file) for file in files),
        parity=tuple(proof(file) for file in files),
        latency=tuple(timing(file, 1 + n, 1.0) for n, file in enumerate(files)),
    )
    return extended(ConvertReport, report, folder=Path("dist"))


def test_a_report_keeps_what_it_extends_and_its_folder(ordinary_report: ConvertReport) -> None:
    assert ordinary_report.folder == Path("dist")
    assert len(ordinary_report.artifacts) == 3
    assert ordinary_report.to_dict()["schema"] == 1
    assert "folder" not in ordinary_report.to_dict()


def test_a_notebook_shows_a_row_for_each_proof_and_no_markup_of_others(
    ordinary_report: ConvertReport,
) -> None:
    html = ordinary_report._repr_html_()
    assert html.count("<tr>") == 1 + 3
    assert "<script>" not in html
    assert ": proved" in html
    assert "PASSED. All 3 artifacts passed" in html


@pytest.mark.parametrize("shown", ["html", "print"])
def test_a_report_ends_with_its_answer(ordinary_report: ConvertReport, shown: str) -> None:
    bench = extended(BenchReport, benches.ordinary())
    for report, says in ((ordinary_report, "report: dist/report.html"), (bench, answer(bench)[-1])):
        text = unescape(re.sub("<[^>]+>", "", report._repr_html_())) if shown == "html" else str(report)
        assert text.endswith(says)


def test_what_was_not_measured_is_an_empty_cell() -> None:
    row = replace(proof("net.int8.onnx"), drop_pp=None, agreement=None)
    html = display_of("a title", (), (row,), ()).html()
    assert "None" not in html
    assert len(re.findall("<td[^>]*></td>", html)) == 4


def test_a_bench_is_shown_and_printed_whole() -> None:
    report = extended(BenchReport, benches.ordinary())
    assert report._repr_html_().count("<tr>") == 1 + len(report.rows)
    assert report.to_dict()["kind"] == "bench"
    assert len(report.to_dict()["rows"]) == len(report.rows)


STATE = State(sha256="", parameters=272_282, macs=None, file_bytes=1_100_000, gzip_bytes=0)


def test_what_was_trained_shows_itself_and_is_what_json_prints() -> None:
    report = TrainReport("net<b>.keras", replace(STATE, top1=0.9412, images="10,000 test images"), 0.93)
    assert "net&lt;b&gt;.keras: 272,282 parameters, top-1 held out 93.00 %" in report._repr_html_()
    assert report.to_dict()["state"]["top1"] == 0.9412


def test_what_was_pruned_shows_itself_before_and_after() -> None:
    before = replace(STATE, parameters=544_564)
    step = Step(
        step="prune", title="half of the channels", command="", resnet_edge="", before=before, after=STATE
    )
    report = CompressionReport("net.keras", step, ("a note",))
    html = report._repr_html_()
    assert "<caption>net.keras: half of the channels</caption>" in html
    cells = re.findall("<td[^>]*>([^<]*)</td>", html)
    assert cells[4:8] == ["parameters", "544,564", "272,282", "0.50x"]
    assert list(report.to_dict()["notes"]) == ["a note"]
