"""Tests of search.right, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.searching.right import right_answers
from resnet_edge.searching.right_task import CountRight, RightAnswers
from resnet_edge.workers.progress import silent

CLASSES = Head.of_classes(3, "logits")
LOGITS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]] * 4


def counted(
    folder: Path,
    outputs: NDArray[np.float32],
    labels: list[object] | None,
    head: Head = CLASSES,
    own: NDArray[np.float32] | None = None,
    reference: NDArray[np.float32] = LOGITS,
    cuts: tuple[int, ...] = (),
) -> RightAnswers:
    def saved(name: str, values: object) -> str:
        np.save(folder / name, np.asarray(values))
        return str(folder / f"{name}.npy")

    return right_answers(
        CountRight(
            head=head,
            outputs=saved("outputs", outputs),
            reference=saved("reference", reference),
            labels=None if labels is None else saved("labels", labels),
            own=None if own is None else saved("own", own),
            cuts=cuts,
        ),
        silent,
    )


def test_the_first_image_is_the_lowest_bit(tmp_path: Path) -> None:
    counts = counted(tmp_path, LOGITS, [0, 0, 2, 0, 0])
    assert (counts.right, counts.n) == (f"{0b01101:x}", 5)


def test_the_first_of_the_images_are_enough(tmp_path: Path) -> None:
    assert counted(tmp_path, LOGITS[:2], [0, 1, 2, 0, 1]).right == "3"


def test_without_labels_the_model_is_right(tmp_path: Path) -> None:
    assert counted(tmp_path, LOGITS[[0, 1, 2, 0, 0]], None).right == f"{0b01111:x}"


def test_probabilities_of_a_model_of_logits_answer_the_same(tmp_path: Path) -> None:
    powers = np.exp(LOGITS)
    counts = counted(tmp_path, powers / powers.sum(axis=1, keepdims=True), None, own=LOGITS)
    assert counts.right == f"{0b11111:x}"


def test_several_labels_are_right_together(tmp_path: Path) -> None:
    head = Head.multilabel(2, "probabilities")
    outputs = np.array([[0.9, 0.1], [0.9, 0.9], [0.2, 0.1]], np.float32)
    assert counted(tmp_path, outputs, [[1, 0], [1, 0], [0, 0]], head, reference=outputs).right == f"{0b101:x}"


def test_what_an_embedding_is_near_to_does_not_change_with_more_images(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    outputs, head = random.normal(size=(90, 4)).astype(np.float32), Head.embedding(4)
    labels = random.integers(0, 3, 90).tolist()
    few = counted(tmp_path, outputs[:40], labels, head, reference=outputs, cuts=(20, 40))
    many = counted(tmp_path, outputs, labels, head, reference=outputs, cuts=(20, 40))
    assert int(many.right, 16) & ((1 << 40) - 1) == int(few.right, 16)
    alone = counted(tmp_path, outputs[40:], labels[40:], head, reference=outputs[40:])
    assert int(many.right, 16) >> 40 == int(alone.right, 16)


def test_the_error_is_measured_beside_its_own_network(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=LOGITS.shape).astype(np.float32)
    own = counted(tmp_path, LOGITS + 0.01 * noise, None, own=LOGITS)
    worse = counted(tmp_path, LOGITS + 0.1 * noise, None, own=LOGITS)
    assert own.sqnr_db is not None
    assert own.sqnr_db - (worse.sqnr_db or 0) == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_answers_nothing(tmp_path: Path, value: float) -> None:
    outputs = LOGITS.copy()
    outputs[3, 1] = value
    counts = counted(tmp_path, outputs, None)
    assert counts.right == "0"
    assert "NaN" in counts.trouble
