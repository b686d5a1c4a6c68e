"""Metadata that does not fit its file is refused before it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.metadata import LabelFile, ModelMetadata
from resnet_edge.formats._metadata.rules import check
from resnet_edge.formats.tflite import write_metadata
from resnet_edge.graph.model import Graph, Tensor
from tests.formats.metadata.five_classes import GERMAN, GREY, LABELS


def with_labels(*files: LabelFile) -> ModelMetadata:
    return replace(GREY, scores=replace(GREY.scores, labels=files))


def with_image(**changes: object) -> ModelMetadata:
    return replace(GREY, image=replace(GREY.image, **changes))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (with_labels(LabelFile("labels.txt", LABELS.labels[:4])), "has 4 labels, and the file gives 5"),
        (with_labels(LabelFile("labels.txt", ("a", "b", " ", "d", "e"))), "label 3 is empty"),
        (with_labels(LabelFile("labels.txt", ("a", "b\nc", "c", "d", "e"))), "label 2"),
        (with_labels(LABELS, replace(GERMAN, name="labels.txt")), "2 label files have the name"),
        (with_labels(LABELS, replace(GERMAN, locale="")), "2 label files have the locale"),
        (with_labels(replace(LABELS, name="../labels.txt")), "without a folder"),
        (with_image(width=9), "9 x 8 pixels, and the file takes 8 x 8"),
        (with_image(colour_space="RGB"), "says RGB, and the file takes 1 channels"),
        (with_image(mean=()), "for each mean"),
        (with_image(mean=(), std=()), "without a mean"),
        (with_image(mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 1.0)), "no normalization by channel"),
        (with_image(std=(0.0,)), "above 0"),
        (replace(GREY, scores=replace(GREY.scores, name="")), "no name"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, metadata: ModelMetadata, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        write_metadata(folder / "fixed.tflite", metadata, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


def test_normalization_of_integers_is_refused_because_apps_ignore_it(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="apps ignore mean"):
        write_metadata(folder / "uint8.tflite", GREY, tmp_path / "out.tflite")


def test_classes_may_share_a_name_as_in_imagenet(folder: Path, tmp_path: Path) -> None:
    write_metadata(
        folder / "fixed.tflite",
        with_labels(LabelFile("l.txt", ("crane", "crane", "a", "b", "c"))),
        tmp_path / "o.tflite",
    )


def test_a_file_of_two_outputs_takes_no_metadata_of_a_classifier() -> None:
    image = Tensor(name="image", shape=(1, 8, 8, 1), dtype="float32", data=None, quantization=None)
    with pytest.raises(DataError, match="for one input and one output, and the file has 1 and 2"):
        check(GREY, Graph((image,), (), (0,), (0, 0)))
