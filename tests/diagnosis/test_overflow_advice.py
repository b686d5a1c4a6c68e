"""Sentences on what was measured of overflow."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk, LayerRisk, Way
from resnet_edge.diagnosis.overflow_advice import ELSEWHERE, advice

SAFE = LayerRisk(layer="stem", pairs=10, at_risk=0, worst=0.5, overflowed=0.0)
QUIET = LayerRisk(layer="conv1", pairs=10, at_risk=4, worst=1.5, overflowed=0.001)
LOUD = LayerRisk(layer="conv2", pairs=10, at_risk=6, worst=1.9, overflowed=0.0123)
CUT = Way(
    way=AS_IT_COMES, agreement=0.9925, agreement_ci95=(0.98, 1.0), max_abs=3.14159,
    top1=0.9, drop_pp=1.5, drop_ci95_pp=(0.25, 2.75),
)  # fmt: skip
SEVEN = replace(CUT, way=SEVEN_BITS, agreement=0.99, drop_pp=0.5, top1=0.91, drop_ci95_pp=(-0.5, 1.5))
RISK = Int8Risk(
    artifact="net.onnx", n=1200, top1=0.915, layers=(SAFE, QUIET, LOUD), ways=(SEVEN, CUT),
    advice=(), left_out=(),
)  # fmt: skip


def test_where_nothing_can_overflow_that_is_all() -> None:
    (one,) = advice(replace(RISK, layers=(SAFE,), ways=())).advice
    assert one == "no sum of int8 products can overflow, whatever the processor"


def test_what_happens_what_to_do_and_where_not() -> None:
    happens, do, elsewhere = advice(RISK).advice
    assert "overflow in ONNX Runtime in 2 of 3 layers, most of all in conv2 (1.2 % of them)" in happens
    assert "0.75 % of 1,200 images change their answer, and outputs move by up to 3.14" in happens
    assert "(top-1 91.50 to 90.00 %, a drop of 1.50 pp, 95 % interval 0.25 to 2.75)" in happens
    assert "change about 1.00 % of the answers (top-1 91.50 to 91.00 %" in do
    assert "session.x64quantprecision=1" in do
    assert elsewhere == ELSEWHERE


def test_what_can_overflow_and_did_not() -> None:
    ways = (SEVEN, replace(CUT, max_abs=0.0, agreement=1.0))
    happens, *_ = advice(replace(RISK, ways=ways)).advice
    assert happens == (
        "on x86 without VNNI, sums of int8 products can overflow in ONNX Runtime in 2 of 3 layers; on 1,200 "
        "images none did that mattered"
    )


def test_without_labels_no_accuracy_is_told() -> None:
    ways = tuple(replace(way, top1=None, drop_pp=None, drop_ci95_pp=None) for way in (SEVEN, CUT))
    assert "top-1" not in " ".join(advice(replace(RISK, top1=None, ways=ways)).advice)
