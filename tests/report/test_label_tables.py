"""The per-label numbers of a file of several labels, as a reader of the report sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from resnet_edge.core.results.parity import LabelDrop, Parity, Verdict
from resnet_edge.core.results.report import Report
from resnet_edge.report.blocks import Paragraph, Tag, TextTable
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


def titles(*rows: Parity) -> list[str]:
    return [block.text for block in label_blocks(rows, ()) if isinstance(block, Paragraph)][1:]


def test_each_label_has_its_numbers_its_interval_and_what_it_was_judged_on() -> None:
    (table,) = tables(of_labels(), names=("cat", "dog"))
    assert table.header[:5] == ("Label", "Images", "Right", "Of the model", "Drop, pp")
    good, bad = table.body
    assert good[:4] == ("cat", "1,234", "90.00 %", "90.00 %")
    assert bad[:2] == ("dog", "21")
    assert bad[2] == "86.00 %"
    assert bad[4] == ("4.00", "[3.50, 4.50]")
    assert bad[5:] == ("those with it", Tag("FAIL", "fail"))


def test_without_labels_the_agreement_of_each_stands_there() -> None:
    bare = tuple(
        replace(one, n=None, accuracy=None, reference_accuracy=None, drop_pp=None, drop_ci95_pp=None)
        for one in LABELS
    )
    (table,) = tables(replace(of_labels(labels=bare), drop_pp=None, drop_ci95_pp=None))
    assert table.header == ("Label", "Agreement", "Judged on", "Verdict")
    assert table.body[0] == ("0", ("99.00 %", "[98.00 %, 99.50 %]"), "all", Tag("pass", "pass"))


def test_backends_that_gave_the_same_share_a_table_and_others_do_not() -> None:
    rows = of_labels(), of_labels(backend="xnnpack"), of_labels(labels=LABELS[:1], backend="other")
    assert titles(*rows) == [f"{FILE} on litert cpu, {FILE} on xnnpack cpu", f"{FILE} on other cpu"]
    assert len(tables(*rows)) == 2


def test_of_many_labels_the_least_good_stand_there_and_the_rest_is_counted() -> None:
    drops = [label(number, number / 100) for number in range(MOST + 10)]
    drops[7] = label(7, 0.0, "inconclusive")
    many = of_labels(labels=tuple(drops))
    assert titles(many)[0].endswith(f"the {MOST} that hold least; 10 more are in report.json")
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
        assert "[3.50, 4.50]" in form
