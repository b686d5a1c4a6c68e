"""Sentences beside the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.calibrate.calibration_task import SharedScale
from resnet_edge.conversion.notes import (
    PER_CHANNEL,
    latency_is_local,
    one_look_only,
    scales_for_each,
    shared_scale,
    stopped,
    unlike_machines,
)
from resnet_edge.core.proportion import paired_drop, wilson
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.core.sequential import planned
from resnet_edge.graph.versions.needed import scales_apart


def row(verdict: Verdict, n: int, lost: int, *, labelled: bool = True, needed: int | None = 2000) -> Parity:
    low, high = paired_drop(n, lost, 0)
    return Parity(
        artifact=f"net.{lost}",
        backend="litert",
        device="cpu",
        n=n,
        top1=0.9 if labelled else None,
        reference_top1=0.9 if labelled else None,
        drop_pp=100 * lost / n if labelled else None,
        drop_ci95_pp=(100 * low, 100 * high) if labelled else None,
        agreement=1 - lost / n,
        max_abs=0.1,
        sqnr_db=30.0,
        verdict=verdict,
        reasons=("why",),
        samples_needed=needed,
        agreement_ci95=wilson(n - lost, n),
    )


@pytest.mark.parametrize(
    ("per_tensor", "per_channel", "lost", "gained", "noted"),
    [
        (36.0, 36.2, 0, 0, False),
        (36.0, 38.9, 1, 1, False),
        (36.0, 39.1, 0, 0, True),  # half of all noise
        (36.0, 36.2, 9, 1, True),  # beyond chance
        (36.0, 36.2, 2, 0, False),
        (36.2, 36.0, 0, 9, False),
    ],
)
def test_shared_scale_is_told_where_it_is_most_of_the_noise_or_changes_answers(
    per_tensor: float, per_channel: float, lost: int, gained: int, noted: bool
) -> None:
    cost = SharedScale(n=256, per_tensor_db=per_tensor, per_channel_db=per_channel, lost=lost, gained=gained)
    assert bool(shared_scale(cost)) == noted
    assert shared_scale(None) == []


def test_scales_for_each_are_told_and_the_default_is_not() -> None:
    assert scales_for_each("per-tensor") == []
    [note] = scales_for_each("per-channel")
    integer, dynamic = scales_apart("int8"), scales_apart("float32")
    assert integer is not None
    assert dynamic is not None
    assert f"TensorFlow Lite {integer.since}, dynamic ones {dynamic.since}" in note
    assert f"TensorFlow Lite {integer.since}, dynamic ones {dynamic.since}" in PER_CHANNEL


def test_one_line_tells_what_stopped_early() -> None:
    looks = planned(10_000, 0.005)
    rows = [row("pass", 1242, 0), row("fail", 1242, 90), row("pass", 10_000, 2)]
    (line,) = stopped(rows, looks)
    assert "of 10,000 images in random order: 2 proofs after 1,242, 1 proof after 10,000." in line
    assert "98.75 %, so that all of 4 looks hold together with 95 %" in line
    assert "of the first 1,242 images" in line
    assert stopped(rows[2:], looks) == []
    assert stopped([], looks) == []


def test_why_nothing_can_stop_early() -> None:
    assert "can stop early where there are 1,500 and more" in one_look_only(1000, 0.5)
    assert len(planned(1500, 0.005).at) == 2
    assert len(planned(1499, 0.005).at) == 1
    assert "--max-drop 0" in one_look_only(1000, 0)


def test_machines_are_named_where_they_are_unlike() -> None:
    alike = row("pass", 1000, 0)
    assert unlike_machines([alike]) == ()
    rows = [alike, replace(alike, machines=("b", "a")), replace(alike, machines=("c", "a"))]
    (note,) = unlike_machines(rows)
    assert note.startswith("the processors of a, b, c differ, and which of them ran what is chance: ")


def test_latency_beside_a_cluster_is_said_to_be_of_here() -> None:
    assert latency_is_local(None, 8.0) == latency_is_local("ray", 0.0) == ()
    (note,) = latency_is_local("ray", 8.0)
    assert note.startswith("latency was measured on this machine and not on --cluster ray")
