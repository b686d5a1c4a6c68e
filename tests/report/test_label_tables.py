"""The per-label numbers of a file of several labels, as a reader of the report sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from resnet_edge.core.results.parity import LabelDrop, Parity, Verdict
from resnet_edge.core.results.report import Report
from resnet_edge.report.blocks import Paragraph, TextTable
from resnet_edge.report.convert_sections import convert_document
from resnet_edge.report.label_tables import MOST, label_blocks
from resnet_edge.report.verify_sections import verify_document
from tests.report.conftest import EVIL, proof
from tests.report.proofs import verified
from tests.report.rendered import markdown, page

FILE = "resnet20.int8.tflite"


def label(number: int, drop: float = 0.0, verdict: Verdict = "pass", **changes: Any) -> LabelDrop:
    one = LabelDrop(
        label=number,
        verdict=verdict,
        agreement=0.99,
        agreement_ci95=(0.98, 0.995),
        n=1234,
        accuracy=0.90 - drop / 100,
        reference_accuracy=0.90,
        drop_pp=drop,
        drop_ci95_pp=(drop - 0.5, drop + 0.5),
    )
    return replace(one, **changes)


LABELS = (label(0), label(1, 4.0, "fail", n=21, among="with"))


def of_labels(file: str = FILE, labels: tuple[LabelDrop, ...] = LABELS, backend: str = "litert") -> Parity:
    return replace(proof(file, 4.0, "fail", backend), labels=labels)


def tables(*rows: Parity, names: tuple[str, ...] = ()) -> list[TextTable]:
    return [block for block in label_blocks(rows, names) if isinstance(block, TextTable)]


def test_each_label_has_its_numbers_its_interval_and_what_it_was_judged_on() -> None:
    (table,) = tables(of_labels(), names=("cat", "dog"))
    assert table.header == ("Label", "Images", "Of the model", "Judged on", "int8.tflite: drop, pp")
    assert table.body == (
        ("cat", "1,234", "90.00 %", "all", ("0.00", "[−0.50, 0.50] pass")),
        ("dog", "21", "90.00 %", "those with it", ("4.00", "[3.50, 4.50] FAIL")),
    )


def test_without_labels_the_agreement_of_each_stands_there() -> None:
    bare = tuple(
        replace(one, n=None, accuracy=None, reference_accuracy=None, drop_pp=None, drop_ci95_pp=None)
        for one in LABELS
    )
    (table,) = tables(replace(of_labels(labels=bare), drop_pp=None, drop_ci95_pp=None))
    assert table.header == ("Label", "Judged on", "int8.tflite: agreement")
    assert table.body[0] == ("0", "all", ("99.00 %", "[98.00 %, 99.50 %] pass"))


def test_all_files_stand_in_one_table_and_those_of_the_same_figures_in_one_column() -> None:
    better = (label(0), label(1, 0.1, n=21, among="with"))
    floats = [of_labels(f"resnet20.fp32.{format}", better) for format in ("tflite", "onnx")]
    (table,) = tables(of_labels(), of_labels(backend="xnnpack"), *floats, names=("cat", "dog"))
    assert table.header[4:] == ("int8.tflite: drop, pp", "fp32.tflite, fp32.onnx: drop, pp")
    assert [row[0] for row in table.body] == ["cat", "dog"]
    assert table.body[1][4:] == (("4.00", "[3.50, 4.50] FAIL"), ("0.10", "[−0.40, 0.60] pass"))
    assert [*table.numbers] == [4, 5]


def test_a_file_that_differs_between_backends_has_a_column_for_each() -> None:
    better = (label(0), label(1, 0.1, n=21, among="with"))
    (table,) = tables(of_labels(), of_labels(backend="xnnpack", labels=better))
    assert table.header[4:] == (
        "int8.tflite on litert cpu: drop, pp",
        "int8.tflite on xnnpack cpu: drop, pp",
    )


def test_files_that_saw_other_images_have_a_table_of_their_own() -> None:
    """As with --sequential, where each stops once it is decided."""
    fewer = tuple(replace(one, n=3) for one in LABELS)
    assert len(tables(of_labels(), of_labels(labels=fewer, backend="other"))) == 2


def test_of_many_labels_the_least_good_stand_there_and_the_rest_is_counted() -> None:
    drops = [label(number, number / 100) for number in range(MOST + 10)]
    drops[7] = label(7, 0.0, "inconclusive")
    many = of_labels(labels=tuple(drops))
    (note,) = [block.text for block in label_blocks([many], ()) if isinstance(block, Paragraph)][1:]
    assert note == f"The {MOST} that hold least; 10 more are in report.json."
    (table,) = tables(many)
    assert [row[0] for row in table.body[:3]] == ["7", "49", "48"]
    assert len(table.body) == MOST


def test_nothing_stands_there_for_other_heads() -> None:
    assert not list(label_blocks([proof(FILE)], ()))


def test_both_reports_have_it_in_both_forms_with_foreign_names_as_text(ordinary: Report) -> None:
    names = ("cat", EVIL)
    report = replace(ordinary, parity=(of_labels(),), class_names=names)
    verification = replace(verified(ordinary), parity=(of_labels(),), class_names=names)
    for document in (convert_document(report), verify_document(verification)):
        (section,) = [each for each in document.sections if each.anchor == "labels"]
        assert section.title == "Label by label"
        (table,) = [block for block in section.blocks if isinstance(block, TextTable)]
        assert [row[0] for row in table.body] == [*names]
    html, text = page(report), markdown(report)
    assert html.count("<script") == 1
    for form in (html, text):
        assert "Label by label" in form
        assert "3.50, 4.50" in form
