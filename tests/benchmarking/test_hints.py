"""Why int8 is not faster: on profiles whose fault is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.benchmarking.hints import hints
from resnet_edge.core.results.bench import Cold, Timing
from resnet_edge.core.results.profile import OperatorTime, Profile, short
from resnet_edge.core.roofline import Ceilings

VNNI = Ceilings(
    float_gmacs=100.0,
    float_by="vfmadd231ps zmm",
    int8_gmacs=400.0,
    int8_by="vpdpbusd zmm",
    gigabytes=10.0,
    cache_bytes=None,
)
AVX2 = Ceilings(
    float_gmacs=50.0,
    float_by="vfmadd231ps ymm",
    int8_gmacs=50.0,
    int8_by="vpmaddwd ymm",
    gigabytes=10.0,
    cache_bytes=None,
)
CONV = "net/conv/Relu"


def row(scheme: str, p50: float, *operators: OperatorTime, format: str = "onnx") -> Timing:
    """A timing with an interval of 2 %, and its operators if there are some."""
    interval = (0.99 * p50, 1.01 * p50)
    profile = Profile(operators, 10) if operators else None
    return Timing(
        artifact=f"net.{scheme}.{format}",
        format=format,
        scheme=scheme,
        backend="runtime",
        device="cpu",
        threads=1,
        batch=1,
        n=100,
        rounds=20,
        p50_ms=p50,
        p90_ms=p50,
        p99_ms=p50,
        p50_ci95_ms=interval,
        per_second=1000 / p50,
        times_fastest=1.0,
        times_fastest_ci95=(1.0, 1.0),
        rank=1,
        cold=Cold(1.0, 1.0, None),
        verdict="steady",
        reasons=(),
        profile=profile,
    )


FLOAT = row("fp32", 2.0, OperatorTime(CONV, "Conv", 2000.0, 10**6))


def test_a_fast_int8_file_is_not_talked_about() -> None:
    assert hints([FLOAT, row("int8", 1.0, OperatorTime(CONV, "QLinearConv", 1000.0, 10**6))], VNNI) == ()


@pytest.mark.parametrize(
    ("operators", "said"),
    [
        ([("Conv", 2500.0, 10**6)], "100% of its multiply-accumulates run in float between Q and DQ"),
        (
            [("QLinearConv", 1000.0, 10**6), ("DequantizeLinear", 900.0, 0)],
            "47% of its time goes into quantizing and dequantizing",
        ),
        ([("ConvInteger", 2500.0, 10**6)], "it quantizes activations anew in every inference"),
        ([("Convolution (NHWC, QD8, F32, QC8W) IGEMM", 2500.0, 10**6)], "it quantizes activations anew"),
        ([("CONV_2D", 2500.0, 10**6)], "100% of its time is spent outside of XNNPACK"),
    ],
)
def test_what_holds_it_back_is_named(operators: list[tuple[str, float, int]], said: str) -> None:
    slow = row("int8", 2.5, *(OperatorTime(CONV, kind, taken, macs) for kind, taken, macs in operators))
    reasons = hints([FLOAT, slow], VNNI)
    assert any(said in reason for reason in reasons), reasons
    assert "net.int8.onnx on runtime: not shown to be faster than net.fp32.onnx (1.25 times" in reasons[0]


def test_a_processor_without_dot_products_is_named_too() -> None:
    rows = [FLOAT, row("int8", 2.5), row("dynamic", 2.6)]
    said = "int8 at most 1.0 times as fast as float32 (50 and 50 billion a second; it has no VNNI)"
    assert sum(said in reason for reason in hints(rows, AVX2)) == 1
    fast = [FLOAT, row("int8", 1.0)]
    tiles = replace(AVX2, tiles=True)
    unknown = replace(AVX2, int8_gmacs=None)
    for others, ceilings in ((rows, VNNI), (rows, None), (rows, tiles), (rows, unknown), (fast, AVX2)):
        assert not any("VNNI" in reason for reason in hints(others, ceilings))


def test_layers_that_lose_are_named_where_the_whole_wins() -> None:
    base = row(
        "fp32", 2.0, OperatorTime("net/stem/Relu", "Conv", 10.0, 10), OperatorTime(CONV, "Conv", 400.0, 10)
    )
    ours = row(
        "int8",
        1.0,
        OperatorTime("net/stem/Relu", "QLinearConv", 90.0, 10),
        OperatorTime(CONV, "QLinearConv", 100.0, 10),
    )
    (reason,) = hints([base, ours], VNNI)
    assert "slower than in float: stem (90 against 10 µs)" in reason


def test_other_formats_and_unknown_schemes_are_not_compared() -> None:
    assert hints([FLOAT, row("int8", 9.0, format="tflite"), row("fp16", 9.0)], VNNI) == ()


def test_other_networks_are_not_compared() -> None:
    other = replace(FLOAT, artifact="other.fp32.onnx", p50_ms=0.1, p50_ci95_ms=(0.1, 0.1))
    assert hints([other, FLOAT, row("int8", 1.0)], VNNI) == ()
    assert hints([other, row("int8", 1.0)], VNNI) == ()


@pytest.mark.parametrize(
    ("layer", "shortened"),
    [
        ("resnet20_1/stem_relu_1/Relu", "stem_relu_1"),
        ("resnet20_1/conv2_bn_1/batchnorm/add_1", "conv2_bn_1"),
        ("outer/inner/conv/Relu", "inner/conv"),
        ("logits", "logits"),
        ("", ""),
    ],
)
def test_a_layer_is_called_as_in_keras(layer: str, shortened: str) -> None:
    assert short(layer) == shortened
