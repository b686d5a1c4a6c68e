"""When a runtime agrees with an artifact, and which images become golden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.bundle import runtime_agreement
from resnet_edge.bundle.scores import apart, expected, pick
from resnet_edge.bundle.task import CompareScores, ExpectScores, Picked, PickGoldenImages, ScoresApart
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head, Output
from resnet_edge.core.results.bundle import BundledFile, RuntimeProof
from resnet_edge.evaluation.predict_task import PredictResult
from resnet_edge.workers.progress import silent

IMAGE, SCORES = TensorSpec("image", (1, 8, 8, 3), "float32"), TensorSpec("logits", (1, 4), "float32")
FILE = BundledFile(
    path="litert/a.tflite",
    profile="litert",
    format="tflite",
    scheme="int8",
    size_bytes=9,
    sha256="f",
    input=IMAGE,
    output=SCORES,
    scores="logits",
    source="a.tflite",
    source_sha256="f",
)
RAN = PredictResult(out="out.npy", n=1000, seconds=1.0, device="cpu", input_dtype="float32", classes=4)
APART = ScoresApart(n=1000, same_top1=1000, golden_same_top1=10, values=4000, identical=4000, max_abs=0.0)
LOGITS, SHARES = Head.of_classes(2, "logits"), Head.of_classes(2, "probabilities")
LABELS = ("a", "b", "c", "d")


def judged(scores_apart: ScoresApart, backend: str = "litert", ran: PredictResult = RAN) -> RuntimeProof:
    return runtime_agreement.judged(FILE, (backend, "litert"), ran, scores_apart, 10, LABELS)


def test_other_machines_and_devices_are_compared_with_the_same_runtime_here() -> None:
    """Their instructions are others: what must be the same to the bit here is not there."""
    for backend in ("mediapipe@pi4", "litert_js:gpu"):
        proof = judged(replace(APART, identical=3999), backend)
        assert proof.status == "agrees"
        assert (
            runtime_agreement.counterparts(backend, "litert")[0]
            == backend.partition("@")[0].partition(":")[0]
        )
    assert "litert" not in runtime_agreement.counterparts("litert", "litert")[:-1]


def test_the_same_answers_agree() -> None:
    assert judged(APART).status == "agrees"
    assert judged(replace(APART, same_top1=999)).status == "agrees"


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (judged(replace(APART, same_top1=998)), "only 998 of 1,000"),
        (judged(replace(APART, golden_same_top1=9)), "1 of 10 golden images"),
        (judged(replace(APART, identical=3999), "litert_js"), "1 of 4,000 scores are not those of litert"),
        (judged(replace(APART, identical=3999), "litert_arm64"), "1 of 4,000 scores are not those of litert"),
        (judged(replace(APART, identical=3999), "mediapipe"), "1 of 4,000 scores"),
        (judged(APART, "mediapipe", replace(RAN, labels=("a", "b", "d", "c"))), "other labels"),
        (judged(replace(APART, same_top1=949), "litert_reference"), "95 % must"),
    ],
)
def test_what_differs_says_why(proof: RuntimeProof, words: str) -> None:
    assert proof.status == "differs"
    assert words in proof.reason


def test_other_kernels_may_round_in_another_way() -> None:
    assert judged(replace(APART, same_top1=960, identical=0), "litert_reference").status == "agrees"
    assert judged(replace(APART, golden_same_top1=9), "litert_reference").status == "differs"


def test_the_right_labels_are_said() -> None:
    assert judged(APART, "mediapipe", replace(RAN, labels=LABELS)).labels is True
    assert judged(APART).labels is None


def saved(folder: Path, **arrays: object) -> list[str]:
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", np.asarray(values))
    return [str(folder / f"{name}.npy") for name in arrays]


def compared(
    folder: Path, rows: tuple[int, ...], wanted: object, actual: object, head: Head = LOGITS
) -> ScoresApart:
    """With `actual` as the counterpart, too."""
    paths = saved(folder, wanted=wanted, actual=actual)
    return apart(
        CompareScores(expected=paths[0], actual=paths[1], counterpart=paths[1], head=head, rows=rows), silent
    )


def test_scores_are_compared_with_what_is_wanted_and_with_the_counterpart(tmp_path: Path) -> None:
    wanted = np.asarray([[1, 2], [3, 1], [1, 5]], np.float32)
    actual = np.asarray([[1, 2], [1, 3], [1, 5.5]], np.float32)
    assert compared(tmp_path, (0, 1), wanted, actual) == ScoresApart(
        n=3, same_top1=2, golden_same_top1=1, values=6, identical=6, max_abs=2.0
    )


def test_nothing_and_nan_agree_with_nothing(tmp_path: Path) -> None:
    empty, nan = np.zeros((0, 2), np.float32), np.asarray([[np.nan, 1]], np.float32)
    with pytest.raises(DataError, match="nothing to compare"):
        compared(tmp_path, (0,), empty, empty)
    with pytest.raises(DataError, match="no finite"):
        compared(tmp_path, (0,), np.ones((1, 2)), nan)


def test_probabilities_are_expected_behind_a_softmax(tmp_path: Path) -> None:
    (anchor,) = saved(tmp_path, anchor=np.asarray([[0.0, np.log(3.0)]], np.float32))
    path = expected(
        ExpectScores(anchor=anchor, head=LOGITS, wanted=SHARES, out=str(tmp_path / "out.npy")), silent
    ).path
    np.testing.assert_allclose(np.load(path), [[0.25, 0.75]], rtol=1e-6)


@pytest.mark.parametrize(("output", "score"), [("logits", np.log(3.0)), ("probabilities", 0.75)])
def test_probabilities_of_both_classes_are_expected_where_a_file_gives_them(
    tmp_path: Path, output: Output, score: float
) -> None:
    (anchor,) = saved(tmp_path, anchor=np.asarray([[score]], np.float32))
    task = ExpectScores(anchor=anchor, head=Head.binary(output), wanted=SHARES, out=str(tmp_path / "out.npy"))
    np.testing.assert_allclose(np.load(expected(task, silent).path), [[0.25, 0.75]], rtol=1e-6)


def test_one_score_is_held_against_its_threshold(tmp_path: Path) -> None:
    wanted, actual = np.asarray([[0.2], [0.6]], np.float32), np.asarray([[0.3], [0.4]], np.float32)
    assert compared(tmp_path, (0, 1), wanted, actual, Head.binary("probabilities")).same_top1 == 1
    assert compared(tmp_path, (0, 1), wanted, actual, Head.binary("probabilities", 0.25)).same_top1 == 1
    assert compared(tmp_path, (0, 1), wanted, actual, Head.binary("probabilities", 0.35)).same_top1 == 2


def picked(tmp_path: Path, count: int, labels: list[int] | None) -> Picked:
    """Eight images of two classes; the margins are 1 to 8, and image 7 is of class 1."""
    margins = np.arange(1.0, 9.0)
    scores = np.stack([np.where(np.arange(8) % 2, 0, margins), np.where(np.arange(8) % 2, margins, 0)], 1)
    images = np.arange(8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    paths = saved(tmp_path, images=images, anchor=scores)
    label_path = None if labels is None else saved(tmp_path, labels=labels)[0]
    return pick(
        PickGoldenImages(
            images=paths[0],
            labels=label_path,
            anchor=paths[1],
            head=LOGITS,
            count=count,
            folder=str(tmp_path),
        ),
        silent,
    )


def test_golden_images_are_of_every_class_and_no_close_thing(tmp_path: Path) -> None:
    choice = picked(tmp_path, 4, None)
    assert choice.rows == (4, 5, 6, 7)
    assert choice.labels == (None,) * 4
    assert (tmp_path / "03.png").is_file()


def test_golden_images_are_right(tmp_path: Path) -> None:
    choice = picked(tmp_path, 2, [1, 1, 0, 1, 1, 0, 0, 0])
    assert set(choice.rows) <= {1, 2, 3, 6}
    with pytest.raises(DataError, match="right on no image"):
        picked(tmp_path, 2, [1, 0] * 4)
