"""Verdicts on models that give an embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.proportion import drop_points
from tests.evaluation.heads import Judge, judge_in

N, SIZE = 1500, 16
RANDOM = np.random.default_rng(0)
LABELS = np.arange(N) % 5
CENTRES = RANDOM.normal(0, 1, (5, SIZE))
EMBEDDINGS = CENTRES[LABELS] + RANDOM.normal(0, 0.25, (N, SIZE))
HEAD = Head.embedding(SIZE)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return judge_in(tmp_path)


def noisy(size: float) -> np.ndarray:
    return EMBEDDINGS + np.random.default_rng(1).normal(0, size, EMBEDDINGS.shape)


def neighbours(embeddings: np.ndarray) -> np.ndarray:
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similar = units @ units.T
    np.fill_diagonal(similar, -2)
    nearest: np.ndarray = similar.argmax(axis=1)
    return nearest


def test_with_labels_the_drop_of_right_neighbours_decides(judge: Judge) -> None:
    candidate = noisy(0.02)
    row = judge(EMBEDDINGS, candidate, HEAD, LABELS)
    theirs, ours = neighbours(EMBEDDINGS), neighbours(candidate)
    right, reference = LABELS[ours] == LABELS, LABELS[theirs] == LABELS
    assert (row.top1, row.reference_top1) == (right.mean(), reference.mean())
    assert row.agreement == pytest.approx((theirs == ours).mean())
    assert row.agreement is not None
    assert row.agreement < 0.95
    by_hand = drop_points(N, int((reference & ~right).sum()), int((right & ~reference).sum()))
    assert row.drop_ci95_pp == (by_hand.low, by_hand.high)
    assert row.verdict == "pass", row.reasons


def test_without_labels_few_other_neighbours_pass_and_many_stay_open(judge: Judge) -> None:
    assert judge(EMBEDDINGS, noisy(1e-5), HEAD, None).verdict == "pass"
    row = judge(EMBEDDINGS, noisy(0.02), HEAD, None)
    assert row.verdict == "inconclusive"
    assert "labels would tell whether it matters" in row.reasons[0]


def test_images_that_are_strangers_to_themselves_fail(judge: Judge) -> None:
    mixed = EMBEDDINGS.copy()
    mixed[:200] = -mixed[:200]
    for labels in (None, LABELS):
        row = judge(EMBEDDINGS, mixed, HEAD, labels)
        assert row.verdict == "fail"
        assert "no nearer to the reference's of the same image than most others" in row.reasons[0]
    assert row.cosine is not None
    assert row.cosine.strangers >= 195


def test_the_cosine_has_an_interval_and_its_least(judge: Judge) -> None:
    candidate = noisy(0.1)
    units = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (EMBEDDINGS, candidate)]
    cosines = (units[0] * units[1]).sum(axis=1)
    row = judge(EMBEDDINGS, candidate, HEAD, LABELS)
    assert row.cosine is not None
    assert row.cosine.mean == pytest.approx(cosines.mean(), abs=1e-6)
    assert row.cosine.least == pytest.approx(cosines.min(), abs=1e-6)
    half = 1.959964 * cosines.std(ddof=1) / np.sqrt(N)
    assert row.cosine.ci95 == pytest.approx((cosines.mean() - half, cosines.mean() + half), abs=1e-6)


def test_two_dimensions_where_many_are_as_near_are_judged_by_labels(judge: Judge) -> None:
    flat = EMBEDDINGS[:, :2]
    moved = flat + np.random.default_rng(5).normal(0, 1e-3, flat.shape)
    row = judge(flat, moved, Head.embedding(2), LABELS, max_drop_pp=5.0)
    assert row.verdict == "pass", row.reasons
    assert row.agreement is not None
    assert row.agreement < 0.9


def test_a_length_changes_no_neighbour_but_shows_in_the_numbers(judge: Judge) -> None:
    row = judge(EMBEDDINGS, 2 * EMBEDDINGS, HEAD, LABELS)
    assert (row.verdict, row.agreement) == ("pass", 1.0)
    assert row.cosine is not None
    assert row.cosine.mean == pytest.approx(1)
    assert (row.sqnr_db or 0) < 1


@pytest.mark.parametrize("labels", [None, LABELS])
def test_constant_embeddings_prove_nothing_or_fail(judge: Judge, labels: np.ndarray | None) -> None:
    constant = np.ones_like(EMBEDDINGS)
    assert judge(constant, constant, HEAD, labels).verdict == "inconclusive"
    row = judge(EMBEDDINGS, constant, HEAD, labels)
    assert (row.verdict, row.cosine) == ("fail", None)


def test_images_of_one_label_and_labels_that_say_nothing_prove_nothing(judge: Judge) -> None:
    assert judge(EMBEDDINGS, noisy(1e-5), HEAD, np.zeros(N, np.int64)).verdict == "inconclusive"
    row = judge(EMBEDDINGS, noisy(1e-5), HEAD, np.random.default_rng(2).integers(0, 5, N))
    assert row.verdict == "inconclusive"
    assert "no more than by chance" in row.reasons[0]


def test_a_float_file_passes_by_its_numbers_though_near_ties_change_places(
    judge: Judge, tmp_path: Path
) -> None:
    twins = np.repeat(EMBEDDINGS[:50], 3, axis=0)  # of three equal ones, two are as near
    path = str(tmp_path / "net.fp32.tflite")
    moved = twins + np.random.default_rng(4).normal(0, 1e-7, twins.shape)
    row = judge(twins, moved, HEAD, None, scheme="fp32", path=path, format="tflite")
    assert row.verdict == "pass", row.reasons
    assert "within fp32 rounding" in row.reasons[0]
    assert "the nearest neighbour is another on" in row.reasons[0]
