"""Verdicts on models of several labels per image."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.answers import sigmoid
from resnet_edge.core.head import Head, Output
from resnet_edge.core.proportion import drop_points
from resnet_edge.core.sequential import fewest, quantile
from tests.evaluation.heads import Judge, judge_in

N = 4000
RANDOM = np.random.default_rng(0)
LABELS = (RANDOM.random((N, 3)) < [0.5, 0.3, 0.1]).astype(np.int64)
LOGITS = (2 * LABELS - 1) * 3 + RANDOM.normal(0, 1.5, LABELS.shape)
HEAD = Head.multilabel(3, "logits")


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return judge_in(tmp_path)


def given(output: Output, logits: np.ndarray) -> np.ndarray:
    return logits if output == "logits" else sigmoid(logits)


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_small_noise_passes_and_the_interval_shown_is_the_one_that_decides(
    judge: Judge, output: Output
) -> None:
    noisy = LOGITS + np.random.default_rng(1).normal(0, 4e-3, LOGITS.shape)
    row = judge(given(output, LOGITS), given(output, noisy), Head.multilabel(3, output), LABELS)
    assert row.verdict == "pass", row.reasons
    assert [label.verdict for label in row.labels] == ["pass"] * 3
    worst = max(row.labels, key=lambda label: label.drop_ci95_pp[1] if label.drop_ci95_pp else 0)
    assert (row.deciding_label, row.drop_ci95_pp) == (worst.label, worst.drop_ci95_pp)
    assert worst.lost is not None
    assert worst.gained is not None
    by_hand = drop_points(N, worst.lost, worst.gained, quantile(3))  # Bonferroni, of three labels
    assert row.drop_ci95_pp == (by_hand.low, by_hand.high)
    assert row.top1 == pytest.approx(((noisy > 0) == LABELS).mean())
    assert 45 < (row.sqnr_db or 0) < 65
    assert "of 3 labels the worst" in row.reasons[0]


def test_one_label_that_loses_fails_the_file(judge: Judge) -> None:
    worse = LOGITS.copy()
    worse[:, 1] -= 3
    row = judge(LOGITS, worse, HEAD, LABELS)
    assert (row.verdict, row.deciding_label) == ("fail", 1)
    assert [label.verdict for label in row.labels] == ["pass", "fail", "pass"]
    assert "it is the only one of 3 labels" in row.reasons[0]


def test_a_verdict_calls_labels_by_their_names(judge: Judge) -> None:
    worse, names = LOGITS.copy(), ("cat", "dog", "hen")
    worse[:, 1] -= 3
    for labels in (LABELS, None):
        row = judge(LOGITS, worse, HEAD, labels, class_names=names)
        text = " ".join(row.reasons)
        assert "label 'dog'" in text
        assert "label 1" not in text
    stuck = LOGITS.copy()
    stuck[:, 2] = -9
    (reason,) = judge(LOGITS, stuck, HEAD, LABELS, class_names=names).reasons
    assert reason.startswith("the artifact gives label 'hen' to no image")
    seen = np.where([True, True, False], LABELS, 0)
    row = judge(LOGITS, LOGITS, HEAD, seen, class_names=names)
    assert "the labels have label 'hen' on none of the images" in " ".join(row.reasons)


def with_rare(share: float) -> tuple[np.ndarray, np.ndarray]:
    """A fourth label, that so few images have, and its logits."""
    own = (np.arange(N) < share * N).astype(np.int64)[:, None]
    return np.hstack([LABELS, own]), np.hstack([LOGITS, 4.0 * own - 2 + 0.01 * LOGITS[:, :1]])


def test_a_rare_label_that_is_lost_fails_though_nearly_all_answers_are_right(judge: Judge) -> None:
    labels, logits = with_rare(0.004)  # 16 images: fewer than 0.5 pp of all
    lost = logits.copy()
    lost[:12, 3] = -2
    row = judge(logits, lost, Head.multilabel(4, "logits"), labels)
    assert (row.verdict, row.deciding_label) == ("fail", 3)
    assert row.labels[3].accuracy == pytest.approx(1 - 12 / N)
    assert row.labels[3].among == "with"
    assert row.drop_ci95_pp is not None
    assert row.drop_ci95_pp[0] > 0.5
    assert any("of the 16 images that have it, 12 are lost" in reason for reason in row.reasons)


def test_a_rare_label_that_is_kept_is_not_proved_and_says_what_would(judge: Judge) -> None:
    labels, logits = with_rare(0.004)
    row = judge(logits, logits + 1e-4, Head.multilabel(4, "logits"), labels)
    assert (row.verdict, row.labels[3].verdict) == ("inconclusive", "inconclusive")
    assert "images that have it would decide it" in row.reasons[0]
    assert row.samples_needed == math.ceil(
        fewest(0.005, quantile(4)) * N / 16
    )  # as many as hold enough of it


@pytest.mark.parametrize(("value", "says"), [(0, "on none of the images"), (1, "on all of the images")])
def test_a_label_that_no_image_or_every_image_has_proves_nothing(judge: Judge, value: int, says: str) -> None:
    labels = LABELS.copy()
    labels[:, 2] = value
    row = judge(LOGITS, LOGITS + 1e-5, HEAD, labels)
    assert (row.verdict, row.deciding_label, row.samples_needed) == ("inconclusive", 2, None)
    assert says in row.reasons[0]


def test_a_label_that_the_reference_guesses_proves_nothing_unless_that_is_accepted(judge: Judge) -> None:
    guessed = LOGITS.copy()
    guessed[:, 0] = np.random.default_rng(3).normal(size=N)
    row = judge(guessed, guessed + 1e-6, HEAD, LABELS)
    assert row.verdict == "inconclusive"
    assert "the reference classifies label 0 no better than by chance" in row.reasons[0]
    assert judge(guessed, guessed + 1e-6, HEAD, LABELS, accept_reference=True).verdict == "pass"


def test_without_labels_the_answers_of_each_are_compared(judge: Judge) -> None:
    row = judge(LOGITS, LOGITS + 1e-5, HEAD, None)
    assert (row.verdict, row.drop_pp, row.top1) == ("pass", None, None)
    moved = LOGITS.copy()
    moved[:, 2] += 1.0
    row = judge(LOGITS, moved, HEAD, None)
    assert (row.verdict, row.deciding_label) == ("fail", 2)
    changed = ((LOGITS[:, 2] > 0) != (moved[:, 2] > 0)).mean()
    assert row.agreement == pytest.approx(1 - changed)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: np.zeros_like(v), "one and the same output for every image"),
        (lambda v: np.repeat(v[:, :1], 3, axis=1), "every label the same score on every image"),
        (lambda v: np.where([0, 0, 1], -5 + 0.01 * v, v), "gives label 2 to no image"),
        (lambda v: np.where([0, 0, 1], 5 + 0.01 * v, v), "gives label 2 to every image"),
        (lambda v: np.where(v > 8, np.nan, v), "gives NaN or Inf"),
    ],
)
def test_what_is_broken_fails_before_any_figure(judge: Judge, change: Any, reason: str) -> None:
    row = judge(LOGITS, change(LOGITS), HEAD, LABELS)
    assert (row.verdict, row.top1) == ("fail", None)
    assert reason in row.reasons[0]


def test_a_float_file_passes_by_its_numbers_whatever_labels_lack(judge: Judge, tmp_path: Path) -> None:
    labels = np.zeros_like(LABELS)
    path = str(tmp_path / "net.fp32.tflite")
    row = judge(LOGITS, LOGITS + 1e-7, HEAD, labels, scheme="fp32", path=path, format="tflite")
    assert row.verdict == "pass", row.reasons
    assert "within fp32 rounding" in row.reasons[0]


@pytest.mark.parametrize("labelled", [True, False])
def test_labels_that_come_together_and_changed_places_fail(judge: Judge, labelled: bool) -> None:
    random = np.random.default_rng(6)
    logits = LOGITS.copy()
    logits[:, 1] = logits[:, 0] + random.normal(0, 0.3, N)
    labels = (logits > 0).astype(np.int64)
    noisy = logits + random.normal(0, 5e-3, logits.shape)
    own = labels if labelled else None
    assert judge(logits, noisy, HEAD, own, max_drop_pp=8.0).verdict == "pass"
    row = judge(logits, noisy[:, [1, 0, 2]], HEAD, own, max_drop_pp=8.0)
    assert row.verdict == "fail"
    assert "2 of the 3 labels are others of the reference's (0 is its 1, 1 is its 0)" in row.reasons[0]


def test_without_labels_a_rare_one_says_how_many_images_of_all_would_decide(judge: Judge) -> None:
    rare = LOGITS.copy()
    rare[:, 2] = -3
    rare[:20, 2] = 3
    row = judge(rare, rare + 1e-3, HEAD, None)
    assert row.verdict == "inconclusive"
    assert "20 of 4,000 images have it by the reference" in row.reasons[0]
    assert row.samples_needed is not None
    assert row.samples_needed == pytest.approx(200 * fewest(0.005, quantile(3)), rel=0.02)


def test_three_hundred_labels_are_judged_together(judge: Judge) -> None:
    labels = (RANDOM.random((N, 300)) < 0.1).astype(np.int64)
    logits = (2 * labels - 1) * 3 + RANDOM.normal(0, 1.5, labels.shape)
    row = judge(logits, logits + 1e-6, Head.multilabel(300, "logits"), labels, max_drop_pp=1.0)
    assert (row.verdict, len(row.labels)) == ("pass", 300)
    by_hand = drop_points(N, 0, 0, quantile(300))
    assert row.drop_ci95_pp == (by_hand.low, by_hand.high)
