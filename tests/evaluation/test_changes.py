"""Answers counted against a loop over all images."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.core.results.changes import MOST_PAIRS, Changes
from resnet_edge.data.images_task import Images
from resnet_edge.data.thumbnail import thumbnail
from resnet_edge.evaluation import changes as evaluated
from resnet_edge.evaluation.changes import MOST_IMAGES, count
from resnet_edge.evaluation.changes_task import CountChanges, FileOutputs
from resnet_edge.evaluation.outputs import as_probabilities

N, CLASSES = 600, 6
HEAD = Head.of_classes(CLASSES, "logits")


def noisy(seed: int, n: int = N, classes: int = CLASSES) -> tuple[NDArray[np.float32], ...]:
    """Logits of a model, and of a file that is a little off."""
    random = np.random.default_rng(seed)
    reference = random.normal(0, 2, (n, classes)).astype(np.float32)
    return reference, (reference + random.normal(0, 0.4, reference.shape)).astype(np.float32)


def counted(
    folder: Path,
    head: Head,
    reference: NDArray[np.float32],
    *files: NDArray[np.float32],
    labels: NDArray[np.int64] | None = None,
    pictures: bool = False,
) -> Changes:
    def saved(name: str, values: NDArray[np.generic]) -> str:
        np.save(folder / f"{name}.npy", values)
        return str(folder / f"{name}.npy")

    n = len(reference)
    pixels = np.random.default_rng(9).integers(0, 256, (n, 8, 8, 1), np.uint8)
    names = folder / "names.json"
    names.write_text(json.dumps([f"{row}.png" for row in range(n)]))
    images = Images(
        images=saved("images", pixels),
        labels=None if labels is None else saved("labels", labels),
        n=n,
        class_names=(),
        source="some",
        sha256="",
        names=str(names),
    )
    candidates = tuple(
        FileOutputs(artifact=f"file{k}", backend="b", device="d", outputs=saved(f"file{k}", outputs))
        for k, outputs in enumerate(files)
    )
    request = CountChanges(
        head=head,
        reference=saved("reference", reference),
        candidates=candidates,
        images=images,
        pictures=pictures,
    )
    return count(request, lambda _: None)


def test_every_count_is_that_of_a_loop(tmp_path: Path) -> None:
    reference, candidate = noisy(0)
    labels = np.random.default_rng(1).integers(0, CLASSES - 1, N)  # none has the last class
    changes = counted(tmp_path, HEAD, reference, candidate, reference, labels=labels)
    theirs, ours = reference.argmax(axis=1), candidate.argmax(axis=1)
    for label in range(CLASSES):
        rows = [row for row in range(N) if labels[row] == label]
        assert changes.images[label] == len(rows)
        assert changes.right[label] == sum(theirs[row] == label for row in rows)
        assert changes.answered[label] == sum(theirs == label)
    wrong = Counter((labels[i], theirs[i]) for i in range(N) if labels[i] != theirs[i])
    assert {(a, b): n for a, b, n in changes.pairs} == wrong
    assert [n for _, _, n in changes.pairs] == sorted(wrong.values(), reverse=True)
    file, same = changes.artifacts
    apart = Counter((theirs[i], ours[i]) for i in range(N) if theirs[i] != ours[i])
    assert {(a, b): n for a, b, n in file.pairs} == apart
    assert file.changed == changes.changed == sum(apart.values()) > MOST_IMAGES
    for label, lost, gained in file.classes:
        rows = [row for row in range(N) if labels[row] == label]
        assert lost == sum(theirs[row] == label != ours[row] for row in rows)
        assert gained == sum(theirs[row] != label == ours[row] for row in rows)
    assert (same.changed, same.pairs, same.classes) == (0, (), ())


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_the_images_of_the_largest_margins_come_first(tmp_path: Path, output: str) -> None:
    reference, candidate = noisy(0)
    chances = as_probabilities(reference.astype(np.float64))
    theirs, ours = reference.argmax(axis=1), candidate.argmax(axis=1)
    rows = np.flatnonzero(theirs != ours)
    own, other = chances[rows, theirs[rows]], chances[rows, ours[rows]]
    margins = (own - other) / (own + other)
    if output == "probabilities":
        reference = chances.astype(np.float32)
    changes = counted(tmp_path, HEAD, reference, candidate)
    order = rows[np.argsort(-margins, kind="stable")][:MOST_IMAGES]
    assert [image.name for image in changes.worst] == [f"{row}.png" for row in order]
    assert [i.margin for i in changes.worst] == pytest.approx(np.sort(margins)[::-1][:MOST_IMAGES], abs=1e-5)
    first = changes.worst[0]
    assert (first.label, first.reference) == (None, theirs[order[0]])
    assert [(each.artifact, each.answer) for each in first.answers] == [("file0", ours[order[0]])]
    assert (changes.images, changes.right, changes.pairs) == ((), (), ())


def test_pictures_are_those_of_the_images_and_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, candidate = noisy(0)
    changes = counted(tmp_path, HEAD, reference, candidate, pictures=True)
    pixels = np.load(tmp_path / "images.npy")
    for image in changes.worst:
        assert image.picture == thumbnail(pixels[int(image.name.removesuffix(".png"))])
    monkeypatch.setattr(evaluated, "MOST_BYTES", sum(len(image.picture) for image in changes.worst[:5]))
    fewer = counted(tmp_path, HEAD, reference, candidate, pictures=True)
    assert [bool(image.picture) for image in fewer.worst] == [True] * 5 + [False] * (MOST_IMAGES - 5)
    bare = counted(tmp_path, HEAD, reference, candidate)
    assert not any(image.picture for image in bare.worst)


def test_a_binary_head_goes_by_its_threshold(tmp_path: Path) -> None:
    head = Head.binary("probabilities", 0.3)
    reference = np.array([[0.31], [0.2], [0.9], [0.29]], np.float32)
    candidate = np.array([[0.29], [0.2], [0.2], [0.35]], np.float32)
    changes = counted(tmp_path, head, reference, candidate, labels=np.array([1, 0, 1, 0]))
    assert changes.artifacts[0].pairs == ((1, 0, 2), (0, 1, 1))
    assert changes.artifacts[0].classes == ((0, 1, 0), (1, 2, 0))
    assert [image.name for image in changes.worst] == ["2.png", "3.png", "0.png"]
    odds = (0.9 / 0.1) / (0.3 / 0.7)
    assert changes.worst[0].margin == pytest.approx((odds - 1) / (odds + 1), abs=1e-5)


def test_what_is_not_finite_has_no_answers(tmp_path: Path) -> None:
    reference, candidate = noisy(0, 50)
    candidate[3, 2] = np.nan
    changes = counted(tmp_path, HEAD, reference, candidate, reference)
    assert [each.artifact for each in changes.artifacts] == ["file1"]
    assert changes.changed == 0
    assert counted(tmp_path, HEAD, candidate, reference).artifacts == ()


def test_of_many_classes_the_most_frequent_pairs_are_kept(tmp_path: Path) -> None:
    reference, candidate = noisy(0, 5000, 300)
    changes = counted(tmp_path, Head.of_classes(300, "logits"), reference, candidate)
    (file,) = changes.artifacts
    assert len(file.pairs) == MOST_PAIRS
    assert file.changed > sum(n for _, _, n in file.pairs)
