"""Tests of report.bench_words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.results.bench import Quiet
from resnet_edge.report.bench_words import explained, limit_words, name_of, shared_model
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
        "Latency of one call in ms, ± 95 %, 1 thread, batch 1, 20 rounds of shuffled turns in 61 s; other "
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
