"""Classes, what they are taken for, and images on which files overrule the model, as a reader sees them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.report import Report
from resnet_edge.core.sequential import quantile
from resnet_edge.report import verification as verification_json
from resnet_edge.report.blocks import Block, Figure, Matrix, Paragraph, TextTable
from resnet_edge.report.changed_answers import MOST, class_blocks, confusion_blocks, image_blocks
from resnet_edge.report.contract import document
from tests.report.browser import PAPER, laid_out, on_paper
from tests.report.changed import N, changed, of_classes
from tests.report.conftest import CLASSES, EVIL
from tests.report.proofs import verified
from tests.report.rendered import markdown, page


def tables(blocks: list[Block]) -> list[TextTable]:
    return [block for block in blocks if isinstance(block, TextTable)]


def sentences(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Paragraph)]


def test_each_class_has_its_recall_and_what_a_file_loses_of_it() -> None:
    blocks = list(class_blocks(of_classes(), CLASSES))
    (table,) = tables(blocks)
    assert table.header[0] == "Class"
    assert [row[0] for row in table.body] == list(CLASSES)
    n = N // 10
    drop = drop_points(n, 2, 0, quantile(10))
    assert table.body[0] == (
        *("T-shirt/top", "40", "97.5 %", "92.5 %"),
        ("5.00", f"[{drop.low:.2f}, {drop.high:.2f}]".replace("-", "−")),
        "2, 0",
    )
    assert table.body[3][3] == "100.0 %"
    assert "fp32.tflite, fp16.tflite: right on the same images of every class as the model." in sentences(
        blocks
    )
    assert "int8.tflite, int8.onnx" in sentences(blocks)


def test_without_a_file_that_differs_the_model_stands_alone() -> None:
    changes = replace(of_classes(), artifacts=of_classes().artifacts[:2])
    (table,) = tables(list(class_blocks(changes, ())))
    assert table.header == ("Class", "Images", "Recall, model")
    assert table.body[9] == ("9", "40", "97.5 %")


def test_of_many_classes_those_that_lose_most_stand_there() -> None:
    blocks = list(class_blocks(of_classes(1000), ()))
    (table,) = tables(blocks)
    assert len(table.body) == MOST
    assert table.body[0][0] == "0"
    assert f"int8.tflite, int8.onnx: the {MOST} classes that lose most, of 1000" in sentences(blocks)


def test_few_classes_are_set_against_each_other_and_few_pairs_are_listed() -> None:
    blocks = list(confusion_blocks(of_classes(), CLASSES))
    (matrix,) = [block for block in blocks if isinstance(block, Matrix)]
    assert matrix.names == CLASSES
    assert [sum(row) for row in matrix.counts] == list(of_classes().images)
    assert matrix.counts[3][3:5] == (39, 1)
    (table,) = tables(blocks)
    assert table.body[0] == ("T-shirt/top", "Trouser", "1", "2.5 %")
    assert "int8.tflite, int8.onnx: another answer than the model's on 3 of 400 images." in sentences(blocks)


def test_of_many_classes_there_are_the_most_frequent_pairs() -> None:
    blocks = list(confusion_blocks(of_classes(1000), ()))
    assert not [block for block in blocks if isinstance(block, Matrix)]
    first, _ = tables(blocks)
    assert len(first.body) == MOST
    assert f"The {MOST} most frequent; 20 images more are of other pairs." in sentences(blocks)


def test_images_stand_with_label_answers_and_margin() -> None:
    blocks = list(image_blocks(of_classes(), CLASSES))
    (table,) = tables(blocks)
    assert table.header == ("Image", "Label", "Model says", "Files say", "Margin")
    assert table.body[0][1:] == (
        *("T-shirt/top", "T-shirt/top", "Trouser (int8.tflite, int8.onnx)", "90.0 %"),
    )
    assert len(table.pictures) == 3
    assert any(isinstance(block, Figure) for block in blocks)
    bare = replace(of_classes(), worst=tuple(replace(x, picture="", label=None) for x in of_classes().worst))
    blocks = list(image_blocks(bare, CLASSES))
    assert tables(blocks)[0].header[1] == "Model says"
    assert tables(blocks)[0].pictures == ()
    assert not any(isinstance(block, Figure) for block in blocks)


def test_where_nothing_is_known_nothing_is_said(ordinary: Report) -> None:
    for blocks in (class_blocks, confusion_blocks, image_blocks):
        assert list(blocks(None, ())) == []
    assert "Class by class" not in page(ordinary)
    unlabelled = replace(of_classes(), images=(), right=(), pairs=())
    assert list(class_blocks(unlabelled, ())) == []
    assert len(tables(list(confusion_blocks(unlabelled, ())))) == 1


def test_pictures_stand_in_pages_and_nowhere_else(ordinary: Report) -> None:
    report = changed(ordinary)
    verification = replace(verified(ordinary), changes=report.changes, class_names=report.class_names)
    for result, json_values in (
        (report, document(report)),
        (verification, verification_json.verification_document(verification)),
    ):
        html, text = page(result), markdown(result)
        assert html.count('<img src="data:image/') == 3
        assert html.count("<script") == 1
        for section in ("Class by class", "Confusion matrix", "Images whose answer changed"):
            assert section in html
            assert section in text
        assert "data:image" not in text + json.dumps(json_values)
        assert "no-thumbnails" not in text
        assert json_values["changes"]["worst"][0]["name"] == f"0/{EVIL}0.png"
        assert json_values["changes"]["artifacts"][2]["classes"] == [[0, 2, 0], [3, 0, 1]]


@pytest.mark.chromium
@pytest.mark.parametrize("classes", [10, 20])
@pytest.mark.parametrize("width", [360, PAPER, 1280])
def test_it_fits_the_window(ordinary: Report, classes: int, width: int, tmp_path: Path) -> None:
    html = page(changed(ordinary, classes))
    layout = laid_out(on_paper(html) if width == PAPER else html, width, tmp_path)
    assert layout.scroll <= layout.client
    assert layout.fetched == 0
