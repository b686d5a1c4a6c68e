"""Whether the labels of images are of the kind that a model is judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import HeadKind

SEVERAL = "an .npz file whose 'labels' are (N, labels), 1 for each label that an image has and 0 for others"


def check_labels(labels: NDArray[np.int64], kind: HeadKind, classes: int, source: str) -> None:
    """Raises DataError unless a head of that kind, of so many classes or labels, is judged by labels (N,), or
    by several per image (N, labels)."""
    several = labels.ndim == 2
    if kind != "multilabel":
        if several:
            raise DataError(f"{source} has {labels.shape[1]} labels per image, {_instead(kind)}")
        return
    if not several:
        raise DataError(
            f"{source} has one class per image, and the model says for each of {classes} labels whether an "
            f"image has it: give {SEVERAL}; or images without labels, to prove agreement alone"
        )
    if labels.shape[1] != classes:
        raise DataError(
            f"{source} has {labels.shape[1]} labels per image, and the model {classes}: one for each output, "
            "in the order of the model's outputs"
        )


def _instead(kind: HeadKind) -> str:
    if kind == "embedding":
        return (
            "and whether a nearest neighbour is right is decided by one: give 'labels' (N,), of what is to "
            "be near to each other, or none"
        )
    return (
        "and the model gives one class per image: give 'labels' (N,); where they are one-hot, "
        "labels.argmax(axis=1). If the model's outputs are of several labels, say --head multilabel"
    )
