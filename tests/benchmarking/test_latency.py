"""Latency: what is reported, never how long it took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.benchmarking.latency import measure
from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.core.errors import DataError
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
    progress_seen: list[Progress] = []
    result = measure(
        request_for(artifacts, target(artifacts, "fixed.onnx", "fp32"), rounds=None), progress_seen.append
    )
    assert len(result.latencies) == 1
    rounds = [progress for progress in progress_seen if progress.step == "latency"]
    assert 0 < len(rounds) <= 101
    assert rounds[-1].done == rounds[-1].total


def test_files_of_several_input_sizes_are_timed_side_by_side(artifacts: Path, tmp_path: Path) -> None:
    """Each with images of its own."""
    np.save(tmp_path / "larger.npy", np.repeat(tiny.pixels(2), 2, axis=1))
    fitting = replace(target(artifacts, "fixed.tflite", "fp32"), images=str(artifacts / "images.npy"))
    wanted = replace(
        request_for(artifacts, fitting, target(artifacts, "int8.tflite", "int8")),
        images=str(tmp_path / "larger.npy"),
    )
    result = measure(wanted, silent)
    assert [row.artifact for row in result.latencies] == ["net.fixed.tflite"]
    assert "int8.tflite" in result.failures[0].what
