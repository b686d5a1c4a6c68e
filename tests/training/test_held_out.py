"""Tests of training.held_out: every image counts once, however many devices there are."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from resnet_edge.training import held_out
from resnet_edge.training.held_out import HeldOut
from resnet_edge.training.placement import Placement
from resnet_edge.training.training_data import LabelledImages


def images(count: int) -> LabelledImages:
    return LabelledImages(np.zeros((count, 2, 2, 1), np.uint8), np.arange(count), "held out")


@pytest.mark.parametrize(("count", "devices"), [(1, 2), (11, 2), (12, 3), (23, 4), (40, 4), (7, 8)])
def test_the_weighted_mean_is_that_of_the_images(
    count: int, devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Keras takes it: of a batch the sum over its size, and of the batches the mean by their size."""
    monkeypatch.setattr(held_out, "BATCH", 10)
    of = HeldOut(images(count), Placement(devices=devices))
    total = sizes = weighted = 0.0
    for pixels, labels, weights in islice(of.batches(), of.steps):
        assert weights is not None
        assert len(pixels) == len(labels) == len(weights)
        assert len(labels) % devices == 0
        losses = labels.astype(np.float64)
        total += float((losses * weights).sum())
        weighted += float(weights.sum())
        sizes += len(labels)
    assert total / sizes == pytest.approx((count - 1) / 2)
    assert weighted / sizes == pytest.approx(1)


@pytest.mark.parametrize("count", [11, 40])
def test_one_device_gets_each_image_once_and_no_weights(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "BATCH", 10)
    of = HeldOut(images(count), Placement())
    batches = [*islice(of.batches(), of.steps)]
    assert [int(label) for _, labels, _ in batches for label in labels] == [*range(count)]
    assert {weights is None for *_, weights in batches} == {True}


def test_processes_share_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "BATCH", 8)
    parts = [HeldOut(images(19), Placement(devices=4, processes=2, index=index)) for index in (0, 1)]
    assert {part.steps for part in parts} == {3}
    seen = []
    for one, other in zip(*(islice(part.batches(), 3) for part in parts), strict=True):
        for _, labels, weights in (one, other):
            assert weights is not None
            seen += labels[weights > 0].tolist()
    assert seen == [*range(19)]
