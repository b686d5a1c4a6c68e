"""Tests of benchmarking.recommend."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.benchmarking.recommend import recommended
from resnet_edge.core.results.bench import Timing
from resnet_edge.core.results.parity import Parity
from tests.report.benches import row
from tests.report.conftest import proof

FP32, INT8, ONNX = "net.fp32.tflite", "net.int8.tflite", "net.int8.onnx"
SIZES = {FP32: 1000, INT8: 300, ONNX: 340}


def rows(**latency: float) -> list[Timing]:
    files = {"fp32": FP32, "int8": INT8, "onnx": ONNX}
    return [row(files[name], p50) for name, p50 in latency.items()]


def proofs(*files: str) -> list[Parity]:
    return [proof(file) for file in files]


def test_the_fastest_that_was_proved_is_recommended_with_its_gain_over_float() -> None:
    best = recommended(rows(fp32=1.0, int8=0.25, onnx=0.5), proofs(FP32, INT8, ONNX), SIZES)
    assert best is not None
    assert (best.artifact, best.backend, best.size_bytes) == (INT8, "litert", 300)
    assert (best.baseline, best.speed_up, best.faster) == (FP32, 4.0, True)
    assert best.unproved == ()


def test_the_gain_is_over_float_of_the_same_network() -> None:
    other = row("other.fp32.tflite", 0.5)
    best = recommended([other, *rows(fp32=1.0, int8=0.25)], proofs(FP32, INT8), SIZES)
    assert best is not None
    assert (best.baseline, best.speed_up) == (FP32, 4.0)
    best = recommended([other, *rows(int8=0.25)], proofs(INT8), SIZES)
    assert best is not None
    assert (best.baseline, best.speed_up) == ("", None)


def test_of_those_that_are_as_fast_the_smallest_is_taken() -> None:
    """The interval of a row is 2 % to each side."""
    best = recommended(rows(onnx=0.5, int8=0.505), proofs(INT8, ONNX), SIZES)
    assert best is not None
    assert best.artifact == INT8
    apart = recommended(rows(onnx=0.5, int8=0.52), proofs(INT8, ONNX), SIZES)
    assert apart is not None
    assert apart.artifact == ONNX


def test_what_is_faster_without_a_proof_is_told_and_not_recommended() -> None:
    undecided = replace(proof(INT8), verdict="inconclusive", n=240, samples_needed=1500)
    best = recommended(rows(fp32=1.0, int8=0.25), [proof(FP32), undecided], SIZES)
    assert best is not None
    assert (best.artifact, best.baseline, best.faster) == (FP32, "", False)
    (other,) = best.unproved
    assert (other.artifact, other.verdict, other.n, other.samples_needed) == (INT8, "inconclusive", 240, 1500)


def test_a_proof_counts_where_it_was_made_and_a_failure_everywhere() -> None:
    elsewhere = replace(row(INT8, 0.1), backend="openvino")
    timed = [*rows(fp32=1.0, int8=0.25), elsewhere]
    best = recommended(timed, proofs(FP32, INT8), SIZES)
    assert best is not None
    assert (best.artifact, best.backend) == (INT8, "litert")
    assert [(each.backend, each.verdict) for each in best.unproved] == [("openvino", None)]
    failed = replace(proof(INT8), backend="openvino", verdict="fail")
    assert recommended([*timed], [proof(INT8), failed], SIZES) is None


def test_the_model_itself_is_no_file_to_ship() -> None:
    keras = replace(row(FP32, 0.1), artifact="net.keras", format="keras", scheme=None, backend="keras")
    best = recommended([keras, *rows(fp32=1.0)], proofs(FP32), SIZES)
    assert best is not None
    assert best.artifact == FP32
    assert best.unproved == ()
    assert recommended([keras], [], {}) is None
