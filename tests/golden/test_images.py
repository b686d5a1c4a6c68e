from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.golden.images import informative

HEAD = Head.of_classes(10, "logits")

RANDOM = np.random.default_rng(3)
OUTPUTS = RANDOM.normal(size=(400, 10)).astype(np.float32)
ORDERED = np.sort(OUTPUTS, axis=1)
MARGIN = ORDERED[:, -1] - ORDERED[:, -2]


@pytest.mark.parametrize("count", [10, 13, 32])
def test_all_classes_are_there(count: int) -> None:
    rows = informative(OUTPUTS, None, count, HEAD)
    assert len(set(rows)) == count
    assert {int(OUTPUTS[row].argmax()) for row in rows} == set(range(10))


def test_close_calls_and_typical_images_are_there() -> None:
    rows = informative(OUTPUTS, None, 40, HEAD)
    assert set(np.argsort(MARGIN)[:10]) <= set(rows)
    assert np.median(MARGIN[list(rows)]) > np.quantile(MARGIN, 0.2)


def test_classes_are_those_of_the_labels_where_there_are_some() -> None:
    labels = np.arange(400) % 4
    rows = informative(OUTPUTS, labels, 8, HEAD)
    assert {int(labels[row]) for row in rows} == {0, 1, 2, 3}


def test_fewer_places_than_classes_go_to_different_ones() -> None:
    rows = informative(OUTPUTS, None, 4, HEAD)
    assert len({int(OUTPUTS[row].argmax()) for row in rows}) == 4


@pytest.mark.parametrize("count", [1, 3, 5, 100])
def test_no_more_images_than_there_are(count: int) -> None:
    rows = informative(OUTPUTS[:5], None, count, HEAD)
    assert rows == tuple(sorted(set(rows)))
    assert len(rows) == min(count, 5)
