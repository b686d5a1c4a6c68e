"""Runs in a worker. DATA as images to fit, images held out, and images to test on."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.machine import usable_cores
from resnet_edge.data.blocks import spans
from resnet_edge.data.encoded import EncodedImages, ImageRows, picked
from resnet_edge.data.image_set import ImageSet, check_class_numbers
from resnet_edge.data.labels import check_labels
from resnet_edge.data.load import load
from resnet_edge.training.recipe import Recipe
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True)
class LabelledImages:
    """`images` (N, H, W, C) raw pixels as loaded, `labels` (N,) int64, or (N, labels) of 0 and 1, and what
    they are called."""

    images: ImageRows
    labels: NDArray[np.int64]
    name: str

    def __len__(self) -> int:
        return len(self.images)

    def sha256(self) -> str:
        """Of images and labels, as data.images takes it: equal where the same were measured."""
        digest = _digest(self.images)
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What a run is fitted to and measured on.

    `held_out` and `test` may be missing: nothing was to be held out; a user's own folder or file is the same
    for training and test. `identity` tells one data set from another. Of `several` labels per image,
    `classes` counts these. `labelled`: they are known, and an accuracy can be measured; else, for an
    embedding, all labels are 0."""

    fitted: LabelledImages
    held_out: LabelledImages | None
    test: LabelledImages | None
    classes: int
    class_names: tuple[str, ...]
    identity: dict[str, Any]
    labelled: bool = True

    @property
    def several(self) -> bool:
        """Whether an image may have several labels."""
        return self.fitted.labels.ndim == 2

    @property
    def measured_on(self) -> LabelledImages | None:
        """The images that an accuracy is measured on: the test images, else the held-out ones; None where
        there are neither, and without labels."""
        if not self.labelled:
            return None
        return self.test if self.test is not None else self.held_out


def training_data(
    recipe: Recipe, shape: tuple[int, int, int] | None, head: Head | None, on_progress: OnProgress
) -> TrainingData:
    """Load and split the recipe's DATA.

    `shape` (H, W, C) and `head` are those of a model that is there already; None: the
    images decide. Raises DataError.
    """
    images = load(recipe.data, "train", shape, on_progress=on_progress)
    if isinstance(images.images, EncodedImages):
        images.images.threads = usable_cores()
        images.images.keep(Path(tempfile.gettempdir()))
    # Now, so that files that are not there are reported before the training and not after it.
    test = (
        load(recipe.data, "test", shape, on_progress=on_progress) if _has_test_images(recipe.data) else None
    )
    labels = _labels(images, head)
    count = _class_count(images, labels, head)
    fitted, held_out = _split(images.images, labels, recipe)
    return TrainingData(
        fitted=fitted,
        held_out=held_out,
        test=None
        if test is None
        else LabelledImages(test.images, _labels(test, head), f"{len(test):,} test images"),
        classes=count,
        class_names=() if _is_embedding(head) else images.class_names,
        identity=_identity(images, labels),
        labelled=images.labels is not None,
    )


def _is_embedding(head: Head | None) -> bool:
    return head is not None and head.kind == "embedding"


def _has_test_images(data: str) -> bool:
    """Whether DATA is a set with test images of its own. A user's folder or file is the same for
    training and test: an accuracy on it would be one on the images that were trained on."""
    return data.partition(":")[0] == "fashion-mnist"


def _labels(images: ImageSet, head: Head | None) -> NDArray[np.int64]:
    """The labels. Raises DataError unless there are some, of two classes or more, and of the kind of the
    head. An embedding needs none: it is trained by another."""
    if head is not None and images.labels is not None:
        check_labels(images.labels, head.kind, head.classes, images.source)
    if _is_embedding(head):
        return np.zeros(len(images), np.int64) if images.labels is None else images.labels
    if images.labels is None:
        raise DataError(
            f"{images.source} has no labels: training needs one sub-folder per class, or 'labels'"
        )
    if images.labels.ndim == 2 and not (images.labels != images.labels[:1]).any():
        raise DataError(
            f"{images.source} has the same labels for every image: nothing can be learned of them"
        )
    if images.labels.ndim == 1 and len(np.unique(images.labels)) < 2:
        raise DataError(f"{images.source} has images of one class only: a classifier needs two")
    return images.labels


def _class_count(images: ImageSet, labels: NDArray[np.int64], head: Head | None) -> int:
    if _is_embedding(head):
        return 0
    if labels.ndim == 2:
        return int(labels.shape[1])
    known = None if head is None else head.classes
    count = len(images.class_names) or int(labels.max()) + 1
    if labels.max() >= count:
        raise DataError(f"{images.source} has label {labels.max()} and only {count} class names")
    if known is None:
        if not images.class_names:
            check_class_numbers(labels, images.source)
        return count
    if count > known or (images.class_names and count != known):
        raise DataError(
            f"{images.source} has {count} classes, and the model {known}: "
            "give the data that the model was trained on"
        )
    return known


def _split(
    images: ImageRows, labels: NDArray[np.int64], recipe: Recipe
) -> tuple[LabelledImages, LabelledImages | None]:
    """Training and held-out images; the same share of every class is held out."""
    random = np.random.default_rng(recipe.seed)
    held: list[int] = []
    # Of several labels, as many as there are sets of them: these are held out of all images.
    strata = np.zeros(len(labels), np.int64) if labels.ndim == 2 else labels
    for label in np.unique(strata):
        rows = random.permutation(np.flatnonzero(strata == label))
        held += rows[: round(recipe.validation * len(rows))].tolist()
    mask = np.zeros(len(images), bool)
    mask[held] = True
    fitted = LabelledImages(
        picked(images, ~mask), labels[~mask], f"{len(images) - len(held):,} training images"
    )
    return fitted, LabelledImages(
        picked(images, mask), labels[mask], f"{len(held):,} held-out images"
    ) if held else None


def _identity(images: ImageSet, labels: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "source": images.source,
        "n": len(images),
        "images_sha256": _digest(images.images).hexdigest(),
        "labels_sha256": hashlib.sha256(np.ascontiguousarray(labels).data).hexdigest(),
    }


def _digest(images: ImageRows) -> hashlib._Hash:
    """Of the pixels of all."""
    digest = hashlib.sha256()
    for span in spans(len(images), images.itemsize * int(np.prod(images.shape[1:]))):
        digest.update(np.ascontiguousarray(images[span]).data)
    return digest
