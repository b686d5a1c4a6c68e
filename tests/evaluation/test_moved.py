"""Embeddings that were moved as a whole, and those that were only rounded."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.evaluation.moved import moved
from resnet_edge.evaluation.sanity import Finding, Values

N = 400


def embeddings(size: int) -> Values:
    random = np.random.default_rng(0)
    values: Values = np.maximum(random.normal(0.3, 1, (N, size)), 0).astype(np.float32)
    return values


def rounded(values: np.ndarray) -> np.ndarray:
    step = np.ptp(values) / 255
    nearest: np.ndarray = np.round(values / step) * step
    return nearest


def turned(values: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    result = values.astype(np.float64).copy()
    result[:, :2] = values[:, :2] @ turn.T
    return result


def checked(reference: np.ndarray, candidate: np.ndarray) -> Finding | None:
    return moved(reference, candidate.astype(np.float32))


@pytest.mark.parametrize("size", [2, 16, 128])
def test_numbers_that_changed_places_are_named(size: int) -> None:
    ours = rounded(embeddings(size))
    ours[:, [0, 1]] = ours[:, [1, 0]]
    finding = checked(embeddings(size), ours)
    assert finding is not None
    assert finding.verdict == "fail"
    assert f"2 of the {size} numbers" in finding.reason
    assert "0 is its 1, 1 is its 0" in finding.reason


def test_all_that_moved_on_by_one_and_one_that_is_another_are_found() -> None:
    theirs = embeddings(16)
    one = rounded(theirs)
    one[:, 3] = one[:, 9]
    for ours, count in ((np.roll(rounded(theirs), 1, axis=1), 16), (one, 1)):
        finding = checked(theirs, ours)
        assert finding is not None
        assert f"{count} of the 16 numbers" in finding.reason


@pytest.mark.parametrize("degrees", [5, 20, 60])
@pytest.mark.parametrize("size", [2, 128])
def test_a_space_that_was_turned_is_not_passed(size: int, degrees: float) -> None:
    theirs = embeddings(size)
    finding = checked(
        theirs, turned(theirs, degrees) + np.random.default_rng(1).normal(0, 2e-3, theirs.shape)
    )
    assert finding is not None
    assert (finding.verdict, "turned as a whole" in finding.reason) == ("inconclusive", True)


@pytest.mark.parametrize("size", [2, 3, 16, 250])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.3])
def test_what_was_rounded_or_is_noisy_was_not_moved(size: int, noise: float) -> None:
    theirs = embeddings(size)
    ours = rounded(theirs + np.random.default_rng(2).normal(0, noise, theirs.shape))
    assert checked(theirs, ours) is None
    assert checked(theirs, theirs) is None


@pytest.mark.parametrize("size", [2, 16])
def test_rounded_weights_and_rounded_values_do_not_look_like_a_turn(size: int) -> None:
    random = np.random.default_rng(3)
    for _ in range(40):
        features = np.maximum(random.normal(0, 1, (N, 32)), 0)
        weights = random.normal(0, 1, (32, size))
        theirs = (features @ weights).astype(np.float32)
        assert checked(theirs, rounded(rounded(features) @ rounded(weights))) is None


def test_numbers_that_are_nearly_the_same_may_change_places() -> None:
    theirs = embeddings(16)
    theirs[:, 5] = theirs[:, 4] + 1e-3
    ours = rounded(theirs)
    ours[:, [4, 5]] = ours[:, [5, 4]]
    assert checked(theirs, ours) is None
