"""A bench of several machines is one document, in which each stands by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.benchmarking.bench import BenchRequest
from resnet_edge.benchmarking.everywhere import ALL_FILES, _by_machine, _left_out, _merged
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.core.errors import UsageError
from resnet_edge.core.results.bench import Bench, Cold, Failed, Quiet, Timing
from tests.hosts.sshd import Sshd


def row(backend: str, p50: float, rank: int, artifact: str = "a.int8.tflite") -> Timing:
    return Timing(
        artifact=artifact,
        format="tflite",
        scheme="int8",
        backend=backend,
        device="cpu",
        threads=1,
        batch=1,
        n=100,
        rounds=20,
        p50_ms=p50,
        p90_ms=p50,
        p99_ms=p50,
        p50_ci95_ms=(p50, p50),
        per_second=1000 / p50,
        times_fastest=1.0,
        times_fastest_ci95=(1.0, 1.0),
        rank=rank,
        cold=Cold(1.0, 1.0, None),
        verdict="steady",
    )


def bench(machine: dict[str, Any], *rows: Timing, notes: tuple[str, ...] = ()) -> Bench:
    return Bench(
        resnet_edge="0",
        versions={"numpy": "2"},
        machine=machine,
        command="",
        seconds=3.0,
        quiet=Quiet(0.0, 1.0),
        rows=rows,
        notes=notes,
        sha256={"a.int8.tflite": "0"},
        size_bytes={"a.int8.tflite": 5},
    )


@pytest.fixture
def request_(tmp_path: Path) -> BenchRequest:
    (tmp_path / "a.int8.tflite").write_bytes(b"12345")
    file = BenchFile(path=tmp_path / "a.int8.tflite", name="a.int8.tflite", format="tflite", scheme="int8")
    return BenchRequest(files=(file,), backends=("litert", "litert@pi4"))


def test_each_machine_is_found_again(request_: BenchRequest) -> None:
    here = bench({"cpu": "big"}, row("litert", 1.0, 1), notes=("here only",))
    there = bench({"cpu": "small"}, row("litert", 9.0, 1), row("iree", 12.0, 2), notes=("there only",))
    merged = _merged(request_, here, {"pi4": there})
    parts = merged.by_machine()
    assert [*parts] == ["", "pi4"]
    assert [one.backend for one in parts["pi4"].rows] == ["litert@pi4", "iree@pi4"]
    assert [one.rank for one in parts["pi4"].rows] == [1, 2]
    assert (parts[""].machine["cpu"] != "small", parts["pi4"].machine) == (True, {"cpu": "small"})
    assert (parts[""].notes, parts["pi4"].notes) == (("here only",), ("there only",))
    assert parts["pi4"].size_bytes == {"a.int8.tflite": 5}


def test_nothing_here_is_no_machine(request_: BenchRequest) -> None:
    there = bench({"cpu": "small"}, row("litert", 9.0, 1))
    merged = _merged(replace(request_, backends=("litert@pi4",)), None, {"pi4": there})
    assert [*merged.by_machine()] == ["pi4"]
    assert replace(merged, notes=("of all",)).by_machine()["pi4"].notes == ("of all",)
    assert merged.recommended is None


def test_what_was_timed_here_stays_where_no_host_did_anything(request_: BenchRequest) -> None:
    merged = _merged(request_, bench({"cpu": "big"}, row("litert", 1.0, 1)), {})
    assert [(one.backend, one.rank) for one in merged.rows] == [("litert", 1)]
    assert merged.hosts == {}


@pytest.mark.parametrize("reached", [True, False])
def test_a_machine_that_was_not_reached_is_told_of(request_: BenchRequest, reached: bool) -> None:
    there = {"pi4": bench({"cpu": "small"}, row("litert", 9.0, 1))} if reached else {}
    merged = _merged(request_, bench({"cpu": "big"}, row("litert", 1.0, 1)), there)
    lost = Failed(ALL_FILES, "litert@pi5", "cpu", "it is not reached")
    parts = replace(merged, failures=(lost,)).by_machine()
    assert {name: part.failures for name, part in parts.items()} == {
        "": (lost,),
        **({"pi4": ()} if reached else {}),
    }


def test_one_machine_under_two_names_is_timed_once(host: Sshd) -> None:
    words = {
        "pi4": ["litert@pi4"],
        "pi4.local": ["litert@pi4.local", "onnxruntime:cuda@pi4.local"],
        "nobody.invalid": ["litert@nobody.invalid"],
    }
    by_machine, notes = _by_machine(words)
    assert by_machine == {
        "pi4": ["litert@pi4", "onnxruntime:cuda@pi4"],
        "nobody.invalid": ["litert@nobody.invalid"],
    }
    assert notes == ("pi4.local is pi4 under another name: timed once, as pi4",)


def test_a_bench_of_one_machine_is_itself() -> None:
    alone = bench({}, row("litert", 1.0, 1))
    assert alone.by_machine() == {"": alone}


def test_a_file_that_nothing_opens_anywhere_is_an_error(request_: BenchRequest) -> None:
    other = bench({}, row("litert", 1.0, 1, artifact="b.int8.tflite"))
    with pytest.raises(UsageError, match="none of --backends litert,litert@pi4 opens a.int8.tflite"):
        _left_out(request_, other)
    failed = replace(other, failures=(Failed(ALL_FILES, "litert@pi4", "cpu", "it went away"),))
    assert _left_out(request_, failed) == ()  # it may have opened it


def test_a_file_of_a_folder_that_nothing_opens_anywhere_is_told(request_: BenchRequest) -> None:
    file = replace(request_.files[0], name="b.onnx", format="onnx", in_folder=True)
    request = replace(request_, files=(*request_.files, file))
    note = "none of --backends litert,litert@pi4 opens b.onnx: not timed"
    assert _left_out(request, bench({}, row("litert", 1.0, 1))) == (note,)
