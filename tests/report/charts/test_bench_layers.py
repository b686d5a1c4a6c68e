"""Layers side by side: their order, what is left out, and what each reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.report.charts.bench_layers import (
    LayerRow,
    ceiling_of,
    gmacs,
    layers,
    slowest_layers,
    watched,
)
from tests.report.benches import CEILINGS, ordinary, profile, row


def test_a_layer_of_one_artifact_alone_stands_where_it_is_executed() -> None:
    merged = layers(watched(ordinary().rows))
    names = [layer.name for layer in merged]
    assert names == ["(Transpose)", "stem", "block1", "extra", "logits"]
    assert merged[3].microseconds == (None, 2.0, 2.0, None)
    assert merged[1].microseconds[0] == 40.0


def test_what_belongs_to_no_layer_and_comes_again_does_not_turn_the_order_around() -> None:
    first = row("net.fp32.tflite", 1.0, layers={"net/a/conv": 1.0, "net/b/conv": 1.0})
    assert first.profile is not None
    again = replace(first.profile, operators=(*first.profile.operators, first.profile.operators[0]))
    second = replace(
        first, profile=replace(again, operators=(*again.operators, *profile({"z": 1}).operators))
    )
    merged = layers([second])
    assert [layer.name for layer in merged] == ["(Transpose)", "a", "b", "z"]
    assert merged[0].microseconds == (9.0,)


def test_the_slowest_are_kept_in_order() -> None:
    ordered = [LayerRow(str(n), 0, (float(n % 4), None)) for n in range(8)]
    kept, more = slowest_layers(ordered, 3)
    assert [layer.name for layer in kept] == ["2", "3", "7"]
    assert more == 5


def test_a_rate_counts_all_images_of_a_batch() -> None:
    layer = LayerRow("a", 2_000_000, (100.0,))
    assert gmacs(layer, 100.0, 1) == pytest.approx(20)
    assert gmacs(layer, 100.0, 4) == pytest.approx(80)
    assert gmacs(layer, None, 1) is None
    assert gmacs(layer, 0.0, 1) is None
    assert gmacs(replace(layer, macs=0), 100.0, 1) is None


def test_the_ceiling_is_that_of_what_it_computes_in() -> None:
    assert ceiling_of(row("net.int8.tflite", 1.0), CEILINGS) == CEILINGS.int8_gmacs
    assert ceiling_of(row("net.fp32.tflite", 1.0), CEILINGS) == CEILINGS.float_gmacs
    assert ceiling_of(row("net.fp32.tflite", 1.0), None) is None
    mixed = row("net.int8.tflite", 1.0)
    assert mixed.roofline is not None
    work = replace(mixed.roofline.work, float_macs=1)
    assert ceiling_of(replace(mixed, roofline=replace(mixed.roofline, work=work)), CEILINGS) is None
