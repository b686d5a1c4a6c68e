"""What a bundle's README says of the numbers that go into its files and come out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.report.bundle.score_words import score_words
from tests.report.bundle.bundles import bundle

(FILE,) = bundle().facts.files
LABELS = ("cat", "dog", "hen")


def file(path: str, outputs: int, **more: Any) -> BundledFile:
    plain = TensorSpec(name="image", shape=(1, 8, 8, 1), dtype="float32", quantization=None)
    scores = TensorSpec(name="y", shape=(1, outputs), dtype="float32", quantization=None)
    return replace(
        FILE, **{"path": path, "input": plain, "output": scores, "scores": "probabilities", **more}
    )


def said(*files: BundledFile, labels: tuple[str, ...] = LABELS) -> str:
    return "\n".join(score_words(files, labels))


def test_of_several_classes_the_largest_is_the_answer() -> None:
    text = said(file("a.tflite", 3), file("b.onnx", 3))
    assert "3 numbers in the order of `labels.txt`: the first is the probability of `cat`" in text
    assert "The largest is the answer." in text
    assert "a.tflite" not in text


def test_logits_are_no_probabilities() -> None:
    assert "a softmax makes probabilities of them" in said(file("a.tflite", 3, scores="logits"))


def test_one_number_is_of_the_second_class_and_files_that_give_two_are_named() -> None:
    one = file("a.tflite", 1, kind="binary", threshold=0.3)
    text = said(one, file("tasks.tflite", 2), labels=("cat", "dog"))
    assert "- `a.tflite`: one number, the probability of `dog`. Above 0.3 the answer is `dog`" in text
    assert "- `tasks.tflite`: 2 numbers" in text


@pytest.mark.parametrize(
    ("thresholds", "says"), [((0.5, 0.5, 0.5), "above 0.5 is"), ((0.5, 0.2, 0.5), "above its own threshold")]
)
def test_several_labels_each_have_a_threshold(thresholds: tuple[float, ...], says: str) -> None:
    assert says in said(file("a.tflite", 3, kind="multilabel", thresholds=thresholds))


def test_an_embedding_has_no_answer_of_its_own() -> None:
    text = said(file("a.tflite", 64, kind="embedding", scores="embedding"), labels=())
    assert "64 numbers for an image" in text
    assert "cosine" in text


def test_whole_numbers_are_explained_where_they_are_not_the_pixels_themselves() -> None:
    def ends(zero_point: int, dtype: str) -> dict[str, TensorSpec]:
        pixels, scores = Quantization((1.0,), (zero_point,)), Quantization((0.25,), (-128,))
        return {
            "input": TensorSpec(name="x", shape=(1, 8, 8, 1), dtype=dtype, quantization=pixels),
            "output": TensorSpec(name="y", shape=(1, 3), dtype="int8", quantization=scores),
        }

    text = said(file("micro.tflite", 3, **ends(-128, "int8")))
    assert "a pixel p goes in as p - 128; a number q that comes out is the score 0.25 * (q + 128)." in text
    assert "a pixel" not in said(file("tasks.tflite", 3, **ends(0, "uint8")))


def test_no_file_no_section() -> None:
    assert score_words((), LABELS) == []
