"""Tests of training.training_data: what is held out, and which data do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.data.encoded import EncodedImages
from resnet_edge.training.augment import AugmentedBatches
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_data import LabelledImages, TrainingData, training_data
from resnet_edge.workers.progress import silent
from tests.data.photos import noise
from tests.data.shards.writing import encoded, samples, write_tar

N = 100
LABELS = np.arange(N) % 3 % 2  # two of three are of class 0


def read(
    folder: Path,
    classes: int | None = None,
    labels: Any = LABELS,
    names: Any = None,
    head: Head | None = None,
    **recipe: Any,
) -> TrainingData:
    images = np.arange(N, dtype=np.uint8).reshape(N, 1, 1, 1)
    arrays: dict[str, Any] = {"images": images} | ({} if labels is None else {"labels": labels})
    arrays |= {} if names is None else {"class_names": np.array(names)}
    np.savez(folder / "d.npz", **arrays)
    head = head if classes is None else Head.of_classes(classes, "logits")
    return training_data(Recipe(data=str(folder / "d.npz"), epochs=1, **recipe), None, head, silent)


def test_every_image_is_fitted_or_held_out_with_its_label(tmp_path: Path) -> None:
    data = read(tmp_path, validation=0.2)
    assert data.held_out is not None
    parts = data.fitted, data.held_out
    assert sorted(np.concatenate([part.images[:].ravel() for part in parts]).tolist()) == [*range(N)]
    for part in parts:
        np.testing.assert_array_equal(part.labels, LABELS[part.images[:].ravel()])
    assert data.fitted.name == "80 training images"
    assert data.measured_on is data.held_out


def test_the_same_share_of_every_class_is_held_out(tmp_path: Path) -> None:
    held = read(tmp_path, validation=0.1).held_out
    assert held is not None
    assert np.bincount(held.labels).tolist() == [round(0.1 * count) for count in np.bincount(LABELS)]


def test_the_seed_decides_which(tmp_path: Path) -> None:
    def held(seed: int) -> list[int]:
        held_out = read(tmp_path, validation=0.2, seed=seed).held_out
        assert held_out is not None
        return [*held_out.images[:].ravel().tolist()]

    assert held(0) == held(0) != held(1)


def test_nothing_is_held_out_where_nothing_is_to_be(tmp_path: Path) -> None:
    data = read(tmp_path, validation=0.0)
    assert (data.held_out, data.test, data.measured_on) == (None, None, None)
    assert len(data.fitted) == N


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": None}, "has no labels: training needs one sub-folder per class, or 'labels'"),
        ({"labels": np.ones(N, int)}, "has images of one class only: a classifier needs two"),
        ({"labels": np.arange(N) % 5, "classes": 4}, "has 5 classes, and the model 4: "),
        ({"names": ["a", "b"], "classes": 3}, "has 2 classes, and the model 3: "),
        ({"labels": LABELS * N}, "has class 100 at image 1, and 100 images in all"),
    ],
)
def test_data_that_do_not_fit_are_told(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"d\.npz.* {message}"):
        read(tmp_path, **given)


def test_a_model_may_tell_more_classes_apart_than_unnamed_data_show(tmp_path: Path) -> None:
    assert read(tmp_path, classes=10).classes == 10
    assert read(tmp_path).classes == 2
    assert read(tmp_path, names=["a", "b"]).class_names == ("a", "b")


def test_other_labels_are_other_images() -> None:
    images = np.zeros((4, 1, 1, 1), np.uint8)
    one, two = (LabelledImages(images, np.array(labels), "") for labels in ([0, 1, 0, 1], [0, 1, 1, 1]))
    assert one.sha256() == LabelledImages(images.copy(), np.array([0, 1, 0, 1]), "x").sha256()
    assert one.sha256() != two.sha256()


SEVERAL = np.stack([LABELS, 1 - LABELS, np.arange(N) % 7 == 0], axis=1).astype(np.int64)


def test_several_labels_are_held_out_of_all_images_and_counted(tmp_path: Path) -> None:
    for head in (None, Head.multilabel(3, "logits")):
        data = read(tmp_path, labels=SEVERAL, head=head, validation=0.2)
        assert (data.classes, data.several, data.labelled) == (3, True, True)
        assert data.held_out is not None
        assert (len(data.fitted), len(data.held_out)) == (80, 20)
        np.testing.assert_array_equal(data.held_out.labels, SEVERAL[data.held_out.images[:].ravel()])


def test_an_embedding_needs_no_labels_and_is_measured_where_there_are_some(tmp_path: Path) -> None:
    head = Head.embedding(8)
    bare = read(tmp_path, labels=None, head=head, validation=0.2)
    assert (bare.classes, bare.labelled, bare.measured_on) == (0, False, None)
    data = read(tmp_path, head=head, names=["a", "b"], validation=0.2)
    assert data.measured_on is data.held_out
    assert data.class_names == ()


@pytest.mark.parametrize(
    ("labels", "head", "says"),
    [
        (
            SEVERAL,
            Head.of_classes(3, "logits"),
            "3 labels per image, and the model gives one class per image",
        ),
        (SEVERAL, Head.multilabel(2, "logits"), "3 labels per image, and the model 2"),
        (LABELS, Head.multilabel(2, "logits"), "one class per image"),
        (np.ones((N, 2), int), None, "the same labels for every image"),
    ],
)
def test_labels_of_another_kind_are_refused(tmp_path: Path, labels: Any, head: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(tmp_path, labels=labels, head=head)


def test_photos_of_shards_are_split_as_arrays_and_decoded_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    images = [noise(6, 6, row) for row in range(40)]
    labels = [row % 4 for row in range(40)]
    write_tar(
        tmp_path / "s.tar",
        samples([(encoded(image), label) for image, label in zip(images, labels, strict=True)], end="png"),
    )
    np.savez(tmp_path / "s.npz", images=np.stack(images), labels=np.array(labels))
    streamed, array = (
        training_data(Recipe(data=str(tmp_path / name), epochs=1, validation=0.25), (6, 6, 3), None, silent)
        for name in ("s.tar", "s.npz")
    )
    assert streamed.identity["images_sha256"] == array.identity["images_sha256"]
    for ours, theirs in ((streamed.fitted, array.fitted), (streamed.held_out, array.held_out)):
        assert ours is not None
        assert theirs is not None
        assert isinstance(ours.images, EncodedImages)
        np.testing.assert_array_equal(ours.images[:], theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        assert ours.sha256() == theirs.sha256()
    batches = [
        next(AugmentedBatches(one.fitted.images, one.fitted.labels, 8, ("flip", "crop"), 3).epochs(1))
        for one in (streamed, array)
    ]
    np.testing.assert_array_equal(batches[0][0], batches[1][0])
    (tmp_path / "s.tar").unlink()
    np.testing.assert_array_equal(
        streamed.fitted.images[:], array.fitted.images, "a few are decoded once, and not in each epoch"
    )
