"""The latency of a step: what is made and reported, never how long it took."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.compression.step_latency import Race, TimedAs, step_latency
from resnet_edge.core.errors import (
    DataError,
    OutputError,
    ResnetEdgeError,
    UnknownName,
    UnsupportedScheme,
    UsageError,
)
from resnet_edge.models import ModelRequest
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent

QUICK = TimedAs(rounds=5)


def write_model(path: Path, width: int, size: int = 12) -> None:
    import keras

    layers = [
        keras.Input((size, size, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(width, 3, padding="same", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(4),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.Sequential(layers).save(path)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    for width in (32, 8):
        write_model(folder / f"{width}.keras", width)
    write_model(folder / "larger.keras", 8, size=16)
    return folder


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[WorkerPool]:
    (tmp_path / "scratch").mkdir()
    with WorkerPool(tmp_path, grant=Grant(writes=(str(tmp_path),))) as pool:
        yield pool


def race(workers: WorkerPool, given: Path, tmp_path: Path, how: TimedAs = QUICK) -> Race:
    base = ModelRequest(str(given / "32.keras"))
    return Race(workers, tmp_path / "scratch", base, how, silent)


@pytest.mark.slow
def test_candidates_are_timed_against_one_base(workers: WorkerPool, given: Path, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.keras"
    candidate.write_bytes((given / "8.keras").read_bytes())
    with race(workers, given, tmp_path) as latency_race:
        first = latency_race.against(str(candidate))
        (base,) = (tmp_path / "scratch").glob("base-*/timed.tflite")
        written_ns = base.stat().st_mtime_ns
        again = latency_race.against(str(candidate))
        # What is written over a candidate is what is opened next, and not the one before.
        candidate.write_bytes((given / "larger.keras").read_bytes())
        with pytest.raises(DataError, match=r"candidate.keras has input \(16, 16, 1\) and .*32.keras"):
            latency_race.against(str(candidate))
        with pytest.raises(OutputError, match=r"absent.keras cannot be copied"):
            latency_race.against(str(tmp_path / "absent.keras"))
        assert base.stat().st_mtime_ns == written_ns
    for row in (first, again):
        assert (row.format, row.scheme, row.backend, row.device, row.threads) == (
            "tflite",
            "int8",
            "litert",
            "cpu",
            1,
        )
        assert min(row.before_ms, row.after_ms, row.ratio) > 0
        assert row.ratio_ci95 is not None
        assert row.ratio_ci95[0] <= row.ratio <= row.ratio_ci95[1]
    assert not list((tmp_path / "scratch").glob("candidate*"))
    with pytest.raises(ResnetEdgeError, match="the run is over"):
        latency_race.against(str(candidate))


@pytest.mark.slow
def test_another_backend_and_scheme_by_name(workers: WorkerPool, given: Path, tmp_path: Path) -> None:
    how, base = TimedAs(backend="onnxruntime", scheme="fp32", rounds=5), ModelRequest(str(given / "32.keras"))
    row = step_latency(workers, tmp_path / "scratch", base, str(given / "8.keras"), how, silent)
    assert (row.format, row.scheme, row.backend) == ("onnx", "fp32", "onnxruntime")


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        (replace(QUICK, backend="abacus"), UnknownName, "no backend is called 'abacus'"),
        (replace(QUICK, scheme="int3"), UnknownName, "no scheme is called 'int3'"),
        (replace(QUICK, device="moon"), UsageError, "has no device 'moon'"),
        (replace(QUICK, backend="onnxruntime", scheme="int16x8"), UnsupportedScheme, "no int16x8 in onnx"),
    ],
)
def test_what_cannot_be_timed_is_refused_before_any_model_is_opened(
    workers: WorkerPool, tmp_path: Path, how: TimedAs, error: type[ResnetEdgeError], said: str
) -> None:
    with race(workers, tmp_path, tmp_path, how) as latency_race, pytest.raises(error, match=said):
        latency_race.against(str(tmp_path / "8.keras"))
    assert not (tmp_path / "race_source.log").exists()


@pytest.mark.parametrize("threads", [0, 100_000])
def test_threads_that_are_not_there_are_refused(workers: WorkerPool, tmp_path: Path, threads: int) -> None:
    with pytest.raises(UsageError, match=f"{threads} threads: this process may use"):
        race(workers, tmp_path, tmp_path, replace(QUICK, threads=threads))
