"""Verdicts on models with one output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.answers import sigmoid
from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Parity
from tests.evaluation.heads import Array, Judge, judge_in

N = 2000
LOGITS = np.random.default_rng(0).normal(0, 4, (N, 1))
LABELS = (LOGITS[:, 0] > 0).astype(np.int64)
PROBABILITY, LOGIT = Head.binary("probabilities"), Head.binary("logits")


def shares(logits: Array) -> Array:
    return sigmoid(logits.astype(np.float64)).astype(np.float32)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    in_folder = judge_in(tmp_path)

    def judged(
        reference: Array, candidate: Array, head: Head, labels: Array | None = LABELS, **changes: Any
    ) -> Parity:
        return in_folder(reference, candidate, head, labels, **{"min_sqnr_db": 15.0, **changes})

    return judged


@pytest.mark.parametrize("head", [PROBABILITY, LOGIT])
def test_noise_that_changes_few_answers_passes_with_the_sqnr_of_the_logit(judge: Any, head: Head) -> None:
    noisy = LOGITS + np.random.default_rng(1).normal(0, 4e-3, LOGITS.shape)
    pair = (LOGITS, noisy) if head is LOGIT else (shares(LOGITS), shares(noisy))
    parity = judge(*pair, head)
    assert (parity.verdict, parity.reference_top1) == ("pass", 1.0)
    assert parity.sqnr_db == pytest.approx(60, abs=1)


@pytest.mark.parametrize("head", [PROBABILITY, LOGIT])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda z: -z, "more than the 0.5 pp allowed"),
        (lambda z: z + 3, "more than the 0.5 pp allowed"),
        (lambda z: np.abs(z), "predicts class 1 only"),
        (lambda z: np.full_like(z, 0.7), "one and the same output"),
        (lambda z: z * np.nan, "NaN or Inf"),
    ],
)
def test_what_is_wrong_fails(judge: Any, head: Head, change: Any, reason: str) -> None:
    pair = (LOGITS, change(LOGITS)) if head is LOGIT else (shares(LOGITS), shares(change(LOGITS)))
    parity = judge(*pair, head)
    assert parity.verdict == "fail"
    assert reason in parity.reasons[0]


def test_the_threshold_is_that_of_the_head(judge: Any) -> None:
    """Half of the images are above the usual threshold, and few above another: labels tell which is meant."""
    strict = Head.binary("probabilities", 0.99)
    labels = (shares(LOGITS)[:, 0] > np.float32(0.99)).astype(np.int64)
    assert judge(shares(LOGITS), shares(LOGITS), strict, labels).reference_top1 == 1.0
    assert judge(shares(LOGITS), shares(LOGITS), PROBABILITY, labels).reference_top1 < 0.8
    moved = LOGITS + np.where(np.abs(LOGITS) < 0.1, -0.2, 0.0)  # about 0, and nowhere near 4.6
    assert judge(shares(LOGITS), shares(moved), strict, labels).agreement == 1.0
    assert judge(shares(LOGITS), shares(moved), PROBABILITY, labels).agreement < 1.0


def test_images_of_one_class_prove_nothing(judge: Any) -> None:
    parity = judge(shares(LOGITS), shares(LOGITS), PROBABILITY, np.ones(N, np.int64))
    assert (parity.verdict, "all images are labelled 1" in parity.reasons[0]) == ("inconclusive", True)
    sure = shares(np.abs(LOGITS))
    parity = judge(sure, sure, PROBABILITY, None)
    assert (parity.verdict, "predicts one class only" in parity.reasons[0]) == ("inconclusive", True)


def test_a_reference_that_guesses_proves_nothing(judge: Any) -> None:
    """Chance is a half with two classes, and not 1 as with one output."""
    luck = np.random.default_rng(5).integers(0, 2, N)
    parity = judge(shares(LOGITS), shares(LOGITS), PROBABILITY, luck)
    assert (parity.verdict, "no more than by chance" in parity.reasons[0]) == ("inconclusive", True)


def test_a_saturated_sigmoid_is_compared_as_far_as_float32_holds_it(judge: Any) -> None:
    """Of a logit of 17 two runtimes make 1 and the number before 1: no error, whatever a logarithm says."""
    sure = shares(LOGITS * 5)
    other = np.where(sure > 0.5, np.nextafter(sure, np.float32(0)), sure)
    assert (sure == 1).any()
    parity = judge(sure, other, PROBABILITY, min_sqnr_db=80.0)
    assert (parity.verdict, parity.sqnr_db) == ("pass", 200.0)


@pytest.mark.parametrize("step", [1 / 256, 1 / 32768])
def test_integers_that_hold_no_one_are_no_error(judge: Any, step: float) -> None:
    """TFLite's integer sigmoid gives 255/256 at most, or 32767/32768."""
    exact = shares(LOGITS)
    stored = np.clip(np.rint(exact / step), 0, 1 / step - 1) * step
    parity = judge(exact, stored, PROBABILITY, min_sqnr_db=40.0)
    assert parity.verdict == "pass"


def test_halves_are_compared_by_their_own_steps(judge: Any) -> None:
    exact = shares(LOGITS)
    assert judge(exact, exact.astype(np.float16), PROBABILITY, min_sqnr_db=60.0).verdict == "pass"


def test_a_class_that_loses_is_told(judge: Any) -> None:
    worse = np.where((LABELS == 1)[:, None] & (np.abs(LOGITS) < 0.2), -LOGITS, LOGITS)
    parity = judge(LOGITS, worse, LOGIT)
    assert parity.worst_class is not None
    assert parity.worst_class.label == 1
