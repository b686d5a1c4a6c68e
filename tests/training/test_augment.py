"""Tests of training.augment."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_edge.training.augment import TRANSFORMATIONS, AugmentedBatches, Rows, crop, erase, flip
from resnet_edge.training.recipe import AUGMENTATIONS

IMAGES = np.random.default_rng(0).integers(1, 256, (40, 12, 10, 3)).astype(np.float32)


def whole(images: NDArray[np.float32]) -> Rows:
    return Rows(len(images), slice(None))


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)),
    seed=st.integers(0, 99),
)
def test_shape_dtype_and_range_stay_and_the_input_is_untouched(
    name: str, shape: tuple[int, int, int, int], seed: int
) -> None:
    images = np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)
    before = images.copy()
    changed = TRANSFORMATIONS[name](images, whole(images), np.random.default_rng(seed))
    assert changed.shape == shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    np.testing.assert_array_equal(images, before)


def test_flip_mirrors_some_and_leaves_the_others() -> None:
    flipped = flip(IMAGES, whole(IMAGES), np.random.default_rng(1))
    mirrored = [bool((new == old[:, ::-1]).all()) for new, old in zip(flipped, IMAGES, strict=True)]
    same = [bool((new == old).all()) for new, old in zip(flipped, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 10 < sum(mirrored) < 30


def test_crop_shifts_by_at_most_an_eighth_and_fills_with_zeros() -> None:
    dot = np.zeros((200, 16, 16, 1), np.float32)
    dot[:, 8, 8] = 1
    _, rows, columns, _ = np.nonzero(crop(dot, whole(dot), np.random.default_rng(1)))
    assert set(rows) == set(columns) == {6, 7, 8, 9, 10}


def test_erase_changes_one_rectangle_of_about_half_of_the_images() -> None:
    erased = erase(-IMAGES, whole(IMAGES), np.random.default_rng(1))  # noise is never negative
    changed = 0
    for new in erased:
        rows, columns = np.nonzero((new >= 0).all(-1))
        if not len(rows):
            continue
        changed += 1
        area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert area == len(rows)
        assert area <= 0.5 * 12 * 10
    assert 10 < changed < 30


def batches(seed: int = 3, names: tuple[str, ...] = ("flip", "crop", "erase")) -> AugmentedBatches:
    return AugmentedBatches(IMAGES, np.arange(40), 16, names, seed)


def test_a_batch_depends_on_seed_epoch_and_number_alone() -> None:
    from_start = list(islice(batches().epochs(0), 12))
    for got, expected in zip(islice(batches().epochs(5), 2), from_start[10:], strict=True):
        np.testing.assert_array_equal(got[0], expected[0])
        np.testing.assert_array_equal(got[1], expected[1])
    other_seed = next(batches(seed=4).epochs(0))
    assert not np.array_equal(other_seed[0], from_start[0][0])
    assert not np.array_equal(from_start[0][1], from_start[2][1])  # the epochs differ


@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_see_together_what_one_sees(processes: int) -> None:
    def share(index: int) -> Callable[[int], slice]:
        return lambda size: slice(index * size // processes, (index + 1) * size // processes)

    names = ("flip", "crop", "erase")
    parts = [
        AugmentedBatches(IMAGES, np.arange(40), 16, names, 3, share(index)).epochs(0)
        for index in range(processes)
    ]
    for images, labels in islice(batches().epochs(0), 4):
        of_each = [next(part) for part in parts]
        assert [len(fed) for fed, _ in of_each] == [16 // processes] * processes
        np.testing.assert_array_equal(np.concatenate([fed for fed, _ in of_each]), images)
        np.testing.assert_array_equal(np.concatenate([known for _, known in of_each]), labels)


def test_an_epoch_shows_no_image_twice_and_leaves_the_incomplete_batch_out() -> None:
    dataset = batches(names=())
    assert len(dataset) == 2
    epoch = list(islice(dataset.epochs(0), 2))
    labels = np.concatenate([labels for _, labels in epoch])
    assert len(set(labels.tolist())) == 32
    np.testing.assert_array_equal(epoch[0][0], IMAGES[epoch[0][1]])


def test_fewer_images_than_a_batch_are_one_batch() -> None:
    assert len(AugmentedBatches(IMAGES[:5], np.arange(5), 16, (), 0)) == 1


def test_what_users_may_name_is_what_there_is() -> None:
    assert tuple(TRANSFORMATIONS) == AUGMENTATIONS
