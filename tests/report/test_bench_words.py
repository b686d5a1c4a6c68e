"""Tests of report.bench_words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resnet_edge.core.results.bench import Accuracy, Quiet, Recommendation, Unopened, UnprovedRow
from resnet_edge.report.bench_words import (
    answer,
    explained,
    limit_words,
    name_of,
    not_timed,
    shared_model,
    unsettled,
)
from tests.report.benches import CEILINGS, ordinary, row


@pytest.mark.parametrize(
    ("files", "model"),
    [
        (["net.fp32.tflite", "net.int8.onnx"], "net"),
        (["my.net.fp32.tflite", "my.net.int8.tflite"], "my.net"),
        (["one.fp32.tflite", "two.fp32.tflite"], ""),
        ([], ""),
    ],
)
def test_the_model_is_what_all_names_begin_with(files: list[str], model: str) -> None:
    assert shared_model([row(file, 1.0) for file in files]) == model


def test_a_file_of_others_has_no_model() -> None:
    """Its name may have dots for any reason."""
    other = replace(row("net.fp32.tflite", 1.0), artifact="net.v2.tflite", scheme=None)
    assert shared_model([row("net.fp32.tflite", 1.0), other]) == ""


def test_the_keras_model_is_of_its_own_name() -> None:
    keras = replace(row("net.fp32.tflite", 1.0), artifact="net.keras", format="keras", scheme=None)
    assert shared_model([row("net.int8.tflite", 1.0), keras]) == "net"
    assert [name_of(keras, "net"), name_of(keras, "")] == ["keras", "net.keras"]


def test_how_it_was_measured_is_told() -> None:
    bench = replace(ordinary(), seconds=61.4, quiet=Quiet(0.25, 1.0), ceilings=None)
    rows = [bench.rows[0], replace(bench.rows[1], rounds=20)]
    line, how = explained(bench, rows)
    assert line == (
        "Latency of one call in ms, ± 95 %, 1 thread, batch 1, 20 rounds in random order in 61 s; other "
        "processes kept 0.25 cores busy."
    )
    assert "Rows of one rank cannot be told apart" in how
    quiet = replace(bench, quiet=Quiet(None, 1.0))
    assert explained(quiet, rows)[0].endswith("in 61 s.")


def test_the_limit_is_told_of_what_was_measured_alone() -> None:
    assert limit_words(None) == []
    (whole,) = limit_words(CEILINGS)
    assert "51.3 billion multiply-accumulates a second in float32 (vfmadd231ps ymm), 205.0 billion" in whole
    assert whole.endswith("8.7 GB a second of memory.")
    (part,) = limit_words(replace(CEILINGS, int8_gmacs=None))
    assert "int8" not in part


def shipped(best: Recommendation | None, **changes: Any) -> list[str]:
    return answer(replace(ordinary(), recommended=best, **changes))


BEST = Recommendation(
    artifact="resnet20.int8.tflite",
    backend="litert",
    device="cpu",
    p50_ms=0.5,
    size_bytes=311_000,
    n=10_000,
    top1=0.9495,
    agreement=0.99,
    baseline="resnet20.fp32.tflite",
    speed_up=2.12,
    faster=True,
    steady=True,
)


def test_the_answer_is_what_to_ship_with_its_figures() -> None:
    assert shipped(BEST) == [
        "Ship int8.tflite on litert: 0.500 ms, 2.12× as fast as fp32.tflite, 311 kB, top-1 94.95 % on 10,000 "
        "images."
    ]
    unsure = replace(BEST, steady=False, faster=False, size_bytes=None, top1=None, device="gpu", n=240)
    assert shipped(unsure) == [
        "Ship int8.tflite on litert gpu: 0.500 ms (may not be repeatable), not shown to be faster than "
        "fp32.tflite, agrees with the model on 99.0 % of 240 images."
    ]


def test_what_is_faster_and_not_proved_is_told_before_it() -> None:
    never = UnprovedRow(
        artifact="resnet20.int8.onnx",
        backend="openvino",
        device="cpu",
        p50_ms=0.2,
        verdict=None,
        n=0,
        samples_needed=None,
    )
    on_few = replace(never, verdict="inconclusive", n=240, samples_needed=1500)
    elsewhere, few, ship = shipped(replace(BEST, unproved=(never, on_few)))
    assert "int8.onnx on openvino, 0.200 ms: its answers were not proved there" in elsewhere
    assert "--backends openvino" in elsewhere
    assert few.endswith("240 images do not prove it; about 1,500 would decide it.")
    assert ship.startswith("Ship int8.tflite")


def test_without_a_proof_nothing_is_to_be_shipped() -> None:
    (line,) = shipped(None)
    assert line.startswith("Fastest: int8.tflite on litert, 0.500 ms. Nothing to ship yet")
    (line,) = shipped(None, accuracy=Accuracy())
    assert "`resnet-edge verify resnet20.int8.tflite --reference MODEL --data DATA`" in line
    assert shipped(BEST, rows=()) == []


def test_reasons_that_all_share_are_told_once_and_others_counted() -> None:
    rows = ordinary().rows
    assert unsettled(rows) == []
    busy = [replace(each, verdict="inconclusive", reasons=("busy",)) for each in rows]
    assert unsettled(busy) == ["4 of 4 figures may not be repeatable (? in Rank): busy."]
    assert unsettled(rows, accepted=True) == []
    assert unsettled(busy, accepted=True)[1:] == [
        "They are accepted (--accept-noise): the exit code is 0, and not 5."
    ]
    one = [replace(busy[0], reasons=("busy", "drifts")), *busy[1:]]
    assert unsettled(one)[1] == "resnet20.fp32.tflite on litert: drifts."
    several = [replace(each, reasons=("busy", f"known to {n} %")) for n, each in enumerate(busy)]
    assert unsettled(several)[1].startswith("4 have reasons of their own")


def test_what_was_not_timed_is_one_line() -> None:
    assert not_timed(ordinary()) == ""
    places = (Unopened("", "keras", "gpu", "no GPU"), Unopened("a.onnx", "keras", "gpu", "no GPU"))
    assert not_timed(replace(ordinary(), unopened=places)) == (
        "Not timed, and not asked for: keras gpu (`resnet-edge doctor` and --json say why)."
    )
