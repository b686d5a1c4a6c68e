from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from resnet_edge.core import neighbours
from resnet_edge.core.neighbours import block_rows, cosines, nearest, strangers, unit

RANDOM = np.random.default_rng(0)


def test_each_row_has_the_nearest_of_all_others_by_angle_and_not_by_distance() -> None:
    rows = np.asarray([[1, 0], [100, 1], [0, 1], [0, 3], [-1, 0.5]], np.float32)
    neighbours = nearest(rows)
    assert neighbours.rows.tolist() == [1, 0, 3, 2, 2]
    assert neighbours.cosines[2] == pytest.approx(1)
    by_hand = 1 / np.sqrt(1 + 1e-4) - 0  # of the first: to the second, and to the third at a right angle
    assert neighbours.gaps[0] == pytest.approx(by_hand, abs=1e-6)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RANDOM.normal(size=(1031, 5))
    other = rows + RANDOM.normal(0, 0.3, rows.shape)
    whole = nearest(rows, other), strangers(rows, other), cosines(rows, other)
    monkeypatch.setattr(neighbours, "BYTES", 4 * len(rows) * 100)
    monkeypatch.setattr(neighbours, "WIDE", 100)
    assert block_rows(len(rows)) == 100
    parts = nearest(rows, other), strangers(rows, other), cosines(rows, other)
    np.testing.assert_array_equal(parts[0].rows, whole[0].rows)
    np.testing.assert_allclose(parts[0].gaps, whole[0].gaps, atol=1e-6)
    np.testing.assert_array_equal(parts[1], whole[1])
    np.testing.assert_array_equal(parts[2], whole[2])
    np.testing.assert_array_equal(nearest(rows).rows, _by_hand(rows, rows))


def test_others_of_another_model_are_searched_without_the_own_image() -> None:
    rows = RANDOM.normal(size=(60, 4))
    other = rows + RANDOM.normal(0, 0.5, rows.shape)
    np.testing.assert_array_equal(nearest(rows, other).rows, _by_hand(rows, other))


def _by_hand(rows: np.ndarray, other: np.ndarray) -> np.ndarray:
    units, others = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, other))
    similar = units @ others.T
    np.fill_diagonal(similar, -2)
    nearest: np.ndarray = similar.argmax(axis=1)
    return nearest


@pytest.mark.parametrize("count", [500, 5000])
def test_what_is_held_at_once_does_not_grow_with_the_images(count: int) -> None:
    assert block_rows(count) * count * 4 <= neighbours.BYTES
    rows = np.random.default_rng(3).normal(size=(count, 8)).astype(np.float32)
    tracemalloc.start()
    nearest(rows)
    strangers(rows, rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * neighbours.BYTES


def test_one_row_has_itself_and_zeros_are_as_far_from_all() -> None:
    assert nearest(np.ones((1, 3))).rows.tolist() == [0]
    assert nearest(np.asarray([[0.0, 0], [1, 0], [0.5, 0.1]])).rows.tolist() == [1, 2, 1]
    assert not unit(np.zeros((2, 3))).any()


def test_a_row_that_most_others_are_nearer_to_is_a_stranger_and_one_of_a_crowd_is_not() -> None:
    reference = RANDOM.normal(size=(50, 8)).astype(np.float32)
    near = reference + RANDOM.normal(0, 0.01, reference.shape)
    assert not strangers(reference, near).any()
    near[[3, 4]] *= -1
    assert np.flatnonzero(strangers(reference, near)).tolist() == [3, 4]
    angles = np.linspace(0, 2 * np.pi, 5000)  # in two dimensions, many are nearer than what rounds
    circle, turned = (np.stack([np.cos(a), np.sin(a)], axis=1) for a in (angles, angles + 0.01))
    assert not strangers(circle, turned).any()


def test_cosines_are_of_the_same_row_whatever_its_length() -> None:
    reference = np.asarray([[1.0, 0], [1, 1], [0, 0], [0, 0]])
    candidate = np.asarray([[7.0, 0], [-2, -2], [0, 0], [1, 0]])
    np.testing.assert_allclose(cosines(reference, candidate), [1, -1, 1, 0], atol=1e-12)
