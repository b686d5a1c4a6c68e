from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import HeadKind
from resnet_edge.data.labels import check_labels

ONE, SEVERAL = np.asarray([0, 2, 1]), np.asarray([[0, 1, 1], [1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize(("labels", "kind"), [(ONE, "classes"), (ONE, "embedding"), (SEVERAL, "multilabel")])
def test_labels_of_the_kind_of_the_head_are_taken(labels: np.ndarray, kind: HeadKind) -> None:
    check_labels(labels, kind, 3, "data.npz")


@pytest.mark.parametrize(
    ("labels", "kind", "says"),
    [
        (SEVERAL, "classes", r"3 labels per image.*one-hot, labels\.argmax\(axis=1\).*--head multilabel"),
        (SEVERAL, "binary", "3 labels per image"),
        (SEVERAL, "embedding", r"give 'labels' \(N,\), of what is to be near"),
        (ONE, "multilabel", r"one class per image.*\(N, labels\), 1 for each.*agreement alone"),
        (SEVERAL[:, :2], "multilabel", "2 labels per image, and the model 3: one for each output"),
    ],
)
def test_others_are_refused_with_the_way_out(labels: np.ndarray, kind: HeadKind, says: str) -> None:
    with pytest.raises(DataError, match=says):
        check_labels(labels, kind, 3, "data.npz")
