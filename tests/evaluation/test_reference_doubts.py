"""Tests of what speaks against a reference: chance, and what its own history says."""

from __future__ import annotations

from typing import Any

from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.sidecar import State, Step
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.reference_doubts import doubts_of, reference_doubts

IMAGES = Images(images="x.npy", labels="y.npy", n=1000, class_names=(), source="shop photos", sha256="aa")


def _facts(classes: int = 10) -> ModelFacts:
    return ModelFacts(
        name="net",
        source="net.keras",
        sha256="s",
        parameters=1,
        macs=None,
        input_shape=(8, 8, 3),
        head=Head.of_classes(classes, "logits"),
        class_names=(),
        preprocessing=PRESETS["model"],
    )


def _row(right: float | None, n: int = 1000) -> Parity:
    return Parity(
        artifact="a.tflite",
        backend="litert",
        device="cpu",
        n=n,
        top1=right,
        reference_top1=right,
        drop_pp=0.0,
        drop_ci95_pp=None,
        agreement=1.0,
        max_abs=0.0,
        sqnr_db=100.0,
        verdict="pass",
        reasons=(),
    )


def _step(top1: float | None, n: int = 1000, sha256: str = "aa", source: str = "") -> Step:
    state = State(
        sha256="s",
        parameters=1,
        macs=None,
        file_bytes=1,
        gzip_bytes=1,
        top1=top1,
        n=n,
        images=f"{n} held-out images",
        images_sha256=sha256,
    )
    details: dict[str, Any] = {"data": {"source": source}} if source else {}
    return Step(step="train", title="trained", command="", resnet_edge="1", after=state, details=details)


def _kinds(right: float | None, *steps: Step, n: int = 1000, classes: int = 10) -> list[str]:
    doubts = reference_doubts(_facts(classes), IMAGES, [_row(None), _row(right, n)], steps, accepted=False)
    return [doubt.kind for doubt in doubts]


def test_a_reference_at_chance_is_in_doubt() -> None:
    assert _kinds(0.11) == ["chance"]
    assert _kinds(0.15) == []
    assert _kinds(0.51, classes=2) == ["chance"]
    assert _kinds(0.6, n=10, classes=2) == ["chance"]
    assert _kinds(None) == []


def test_one_that_is_far_below_what_its_history_says_is_in_doubt() -> None:
    assert _kinds(0.214, _step(0.976)) == ["claim"]
    assert _kinds(0.97, _step(0.976)) == []
    assert _kinds(0.99, _step(0.976)) == []  # better is no wrong model


def test_a_claim_on_other_images_counts_where_the_data_are_of_the_same_name() -> None:
    assert _kinds(0.8, _step(0.95, sha256="bb", source="shop photos (train)")) == ["claim"]
    assert _kinds(0.8, _step(0.95, sha256="bb", source="other photos")) == []
    assert _kinds(0.8, _step(0.95, sha256="bb")) == []


def test_a_claim_of_few_images_is_no_certain_one() -> None:
    assert _kinds(0.9, _step(1.0, n=20)) == []
    assert _kinds(0.9, _step(0.99, n=1000)) == ["claim"]
    assert _kinds(0.214, _step(0.976, n=0)) == ["claim"]


def test_only_the_last_step_claims() -> None:
    assert _kinds(0.8, _step(0.95), _step(0.81)) == []
    assert _kinds(0.8, _step(0.95), _step(None)) == []


def test_what_the_user_accepts_is_told_all_the_same() -> None:
    (doubt,) = reference_doubts(_facts(), IMAGES, [_row(0.214)], [_step(0.976)], accepted=True)
    assert doubt.accepted
    assert doubt.sentence.startswith(
        "the reference is right on 21.4 % of 1,000 images of shop photos, and net.json says 97.6 % of 1,000:"
    )


def test_without_labels_only_how_it_was_loaded_is_doubted() -> None:
    assert doubts_of(_facts(), IMAGES, None, 1000, [_step(0.976)], accepted=False) == ()
    (doubt,) = doubts_of(_facts(), IMAGES, 100, 1000, [], accepted=False)
    assert doubt.kind == "chance"
