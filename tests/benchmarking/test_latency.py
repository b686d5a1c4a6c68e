"""Latency: what is reported, never how long it took."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.benchmarking.latency import measure
from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.benchmarking.rounds import (
    LARGEST_BLOCK,
    SETTLED_ROUNDS,
    Runner,
    interleave,
    settled,
    warm_up,
)
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.workers.progress import Progress, silent
from tests.backends import tiny, vulkan


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.write_all(tmp_path_factory.mktemp("artifacts"))
    np.save(folder / "images.npy", tiny.pixels(2))
    return folder


def target(artifacts: Path, file: str, scheme: str, device: str = "cpu") -> LatencyTarget:
    suffix = file.rpartition(".")[2]
    backend = {"tflite": "litert", "onnx": "onnxruntime"}[suffix]
    return LatencyTarget(
        path=str(artifacts / file),
        file=f"net.{file}",
        format=suffix,
        scheme=scheme,
        backend=backend,
        device=device,
    )


def request_for(artifacts: Path, *targets: LatencyTarget, rounds: int | None = 6) -> MeasureLatency:
    return MeasureLatency(
        artifacts=targets, images=str(artifacts / "images.npy"), threads=1, rounds=rounds, budget_seconds=0.2
    )


def test_every_artifact_is_timed_against_its_own_fp32(artifacts: Path) -> None:
    result = measure(
        request_for(
            artifacts,
            target(artifacts, "int8.tflite", "int8"),
            target(artifacts, "fixed.tflite", "fp32"),
            target(artifacts, "uint8.onnx", "int8"),
        ),
        silent,
    )
    assert not result.failures
    int8, fp32, alone = result.latencies
    assert [row.artifact for row in result.latencies] == [
        "net.int8.tflite",
        "net.fixed.tflite",
        "net.uint8.onnx",
    ]
    for row in result.latencies:
        assert (row.device, row.threads, row.batch) == ("cpu", 1, 1)
        assert row.n % 6 == 0
        assert row.n > 6  # such small nets need more than one call for a block
        assert 0 < row.p50_ms <= row.p90_ms
        assert row.p50_ci95_ms[0] <= row.p50_ms <= row.p50_ci95_ms[1]
    assert (fp32.vs_fp32, fp32.vs_fp32_ci95) == (1.0, (1.0, 1.0))
    assert int8.vs_fp32 is not None
    assert int8.vs_fp32_ci95 is not None
    assert 0 < int8.vs_fp32_ci95[0] <= int8.vs_fp32 <= int8.vs_fp32_ci95[1]
    assert alone.vs_fp32 is None  # no ONNX fp32 in this run
    assert alone.vs_fp32_ci95 is None


def test_what_cannot_be_opened_is_told_and_the_others_stay(artifacts: Path) -> None:
    result = measure(
        request_for(
            artifacts,
            target(artifacts, "random.tflite", "int8"),
            target(artifacts, "fixed.onnx", "fp32"),
            target(artifacts, "fixed.tflite", "fp32", device="npu"),
        ),
        silent,
    )
    assert [row.artifact for row in result.latencies] == ["net.fixed.onnx"]
    assert [failure.what for failure in result.failures] == [
        "latency of net.random.tflite on litert cpu",
        "latency of net.fixed.tflite on litert npu",
    ]
    assert all(failure.message and "\n" not in failure.message for failure in result.failures)


def test_a_device_that_a_program_imitates_is_not_timed(artifacts: Path) -> None:
    if not all(adapter.is_software for adapter in vulkan.needed()):
        pytest.skip("this machine has a GPU")
    gpu = target(artifacts, "fixed.tflite", "fp32", device="gpu")
    result = measure(request_for(artifacts, gpu, target(artifacts, "fixed.tflite", "fp32")), silent)
    assert [row.device for row in result.latencies] == ["cpu"]
    (failure,) = result.failures
    assert failure.what == "latency of net.fixed.tflite on litert gpu"
    assert "imitated by a program" in failure.message


def test_nothing_that_opens_gives_no_latency(artifacts: Path) -> None:
    result = measure(request_for(artifacts, target(artifacts, "random.onnx", "fp32"), rounds=None), silent)
    assert result.latencies == ()
    assert len(result.failures) == 1


def test_images_that_cannot_be_read_stop_it(artifacts: Path, tmp_path: Path) -> None:
    request = MeasureLatency(
        artifacts=(target(artifacts, "fixed.onnx", "fp32"),),
        images=str(tmp_path / "no.npy"),
        threads=1,
        rounds=6,
        budget_seconds=1.0,
    )
    with pytest.raises(DataError, match="cannot be read"):
        measure(request, silent)


def test_budget_gives_rounds_and_progress(artifacts: Path) -> None:
    told: list[Progress] = []
    result = measure(
        request_for(artifacts, target(artifacts, "fixed.onnx", "fp32"), rounds=None), told.append
    )
    assert len(result.latencies) == 1
    rounds = [progress for progress in told if progress.step == "latency"]
    assert 0 < len(rounds) <= 101
    assert rounds[-1].done == rounds[-1].total


def test_a_median_is_known_when_rounds_agree_and_not_before() -> None:
    random = np.random.default_rng(0)
    steady, unsteady = random.normal(10, 0.1, (40, 3)), random.lognormal(2, 0.5, (40, 3))
    assert settled([steady.tolist()])
    assert not settled([unsteady.tolist()])
    assert not settled([steady.tolist(), unsteady.tolist()])


class Steady:
    """A session whose own clock always says the same."""

    input, output, device = (
        TensorSpec("image", (1,), "float32"),
        TensorSpec("logits", (1, 2), "float32"),
        "cpu",
    )

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        return images

    def timed(self, images: NDArray[Any], calls: int) -> list[float]:
        return [1.0] * calls


def test_no_further_round_is_taken_once_all_is_known() -> None:
    runners = {0: Runner(Steady(), np.zeros(1), 1)}
    told: list[Progress] = []
    times, _ = interleave(runners, None, 60.0, 0, told.append, until_settled=True)
    assert len(times[0]) == SETTLED_ROUNDS
    times, _ = interleave(runners, 50, 60.0, 0, silent, until_settled=True)
    assert len(times[0]) == 50


class Recorder:
    """A session that notes when it is called, and breaks where it is told to."""

    input = TensorSpec("image", (1, 1, 1, 1), "float32")
    output = TensorSpec("logits", (1, 2), "float32")
    device = "cpu"

    def __init__(self, name: int, calls: list[int], breaks_after: int | None = None) -> None:
        self._name, self._calls, self._left = name, calls, breaks_after

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        assert not gc.isenabled()
        if self._left is not None:
            if self._left == 0:
                raise ArtifactError("it broke")
            self._left -= 1
        self._calls.append(self._name)
        return np.zeros((1, 2), np.float32)


IMAGE = np.zeros((1, 1, 1, 1), np.float32)


def test_rounds_visit_everyone_once_in_a_changing_order() -> None:
    calls: list[int] = []
    runners = {name: Runner(Recorder(name, calls), IMAGE, block=1) for name in range(4)}
    times, broken = interleave(runners, 20, 0.0, seed=3, on_progress=silent)
    assert gc.isenabled()
    assert not broken
    assert all(rows.shape == (20, 1) for rows in times.values())
    turns = calls[::2]  # each turn is a call that is not timed and one that is
    assert turns == calls[1::2]
    orders = [tuple(turns[start : start + 4]) for start in range(0, 80, 4)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(orders)) > 5
    again: list[int] = []
    interleave({name: Runner(Recorder(name, again), IMAGE, 1) for name in range(4)}, 20, 0.0, 3, silent)
    assert again == calls


def test_one_that_breaks_on_the_way_leaves_and_the_others_go_on() -> None:
    calls: list[int] = []
    runners = {
        0: Runner(Recorder(0, calls), IMAGE, block=2),
        1: Runner(Recorder(1, calls, breaks_after=7), IMAGE, block=2),
    }
    times, broken = interleave(runners, 10, 0.0, seed=0, on_progress=silent)
    assert set(times) == {0}
    assert times[0].shape == (10, 2)
    assert str(broken[1]) == "it broke"
    assert gc.isenabled()


def test_warm_up_of_a_fast_session_asks_for_a_full_block() -> None:
    gc.disable()
    try:
        calls: list[int] = []
        assert warm_up(Recorder(0, calls), IMAGE) == LARGEST_BLOCK
        assert 5 <= len(calls) <= 200
    finally:
        gc.enable()
