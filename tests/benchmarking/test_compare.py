"""Two runs of bench beside each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from resnet_edge.benchmarking.compare import compared, read_bench
from resnet_edge.core.errors import DataError
from resnet_edge.core.results.bench import Bench, Cold, Quiet, Timing


def row(artifact: str, p50: float, batch: int = 1) -> Timing:
    """A timing with an interval of 2 %."""
    return Timing(
        artifact=artifact,
        format="onnx",
        scheme="int8",
        backend="onnxruntime",
        device="cpu",
        threads=1,
        batch=batch,
        n=100,
        rounds=20,
        p50_ms=p50,
        p90_ms=p50,
        p99_ms=p50,
        p50_ci95_ms=(0.99 * p50, 1.01 * p50),
        per_second=1000 / p50,
        times_fastest=1.0,
        times_fastest_ci95=(1.0, 1.0),
        rank=1,
        cold=Cold(1.0, 1.0, None),
        verdict="steady",
    )


def run(*rows: Timing, sha256: str = "ab") -> Bench:
    files = {timing.artifact: sha256 for timing in rows}
    versions, machine = {"onnxruntime": "1.32.0"}, {"cpu": "A", "int8_flags": ["avx2"]}
    return Bench(
        resnet_edge="0.1.0",
        versions=versions,
        machine=machine,
        command="resnet-edge bench",
        seconds=5.0,
        quiet=Quiet(0.0, 1.0),
        rows=rows,
        sha256=files,
    )


@pytest.mark.parametrize(
    ("after", "change"), [(0.5, "faster"), (2.0, "slower"), (1.015, "no difference shown")]
)
def test_a_change_is_one_only_where_the_intervals_are_apart(after: float, change: str) -> None:
    (change_of_a,) = compared(run(row("a", 1.0)), run(row("a", after))).rows
    assert change_of_a.change == change
    assert change_of_a.ratio == pytest.approx(after)
    assert change_of_a.ratio_between == pytest.approx((0.99 * after / 1.01, 1.01 * after / 0.99))
    assert change_of_a.same_file


def test_what_has_no_partner_is_told_and_another_file_too() -> None:
    comparison = compared(
        run(row("a", 1.0), row("b", 1.0)), run(row("a", 1.0), row("b", 1.0, batch=4), sha256="cd")
    )
    assert [compared_row.same_file for compared_row in comparison.rows] == [False]
    assert comparison.only_before == ("b on onnxruntime cpu, threads 1, batch 1",)
    assert comparison.only_after == ("b on onnxruntime cpu, threads 1, batch 4",)


def test_another_machine_and_other_versions_are_told() -> None:
    before = run(row("a", 1.0))
    after = replace(before, machine={"cpu": "B", "int8_flags": []}, versions={"onnx": "1.0"})
    assert compared(before, after).different == (
        "cpu: A, then B",
        "int8_flags: avx2, then none",
        "onnx: not there, then 1.0",
        "onnxruntime: 1.32.0, then not there",
    )
    assert compared(before, before).different == ()


def test_a_document_comes_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(run(row("a", 1.0))))
    assert read_bench(tmp_path / "a.json") == run(row("a", 1.0))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"kind": "report"}', None])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"bench --json"):
        read_bench(path)
