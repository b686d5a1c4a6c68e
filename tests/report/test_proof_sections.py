"""The sections that the reports of `convert` and of `verify` share."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.report.blocks import Bullets, Figure, Item, Section, TextTable, sections
from resnet_edge.report.proof_sections import DIAGNOSIS, FAILURES, REPEAT
from tests.report.proofs import BROKEN, FILE, SPLIT, full, verified

SILENT = replace(BROKEN, trace=tuple(replace(each, sqnr_db=None) for each in BROKEN.trace))


def parting(report: Report | Verification, *explanations: Explanation) -> list[Section]:
    """The section of what was found in artifacts, where there is one."""
    shown = sections(DIAGNOSIS, replace(report, explanations=explanations))
    return [section for section in shown if section.anchor == "parting"]


def test_both_reports_have_all_of_it(ordinary: Report) -> None:
    for report in (replace(full(ordinary), calibration_lint=None), verified(ordinary)):
        assert [section.anchor for section in sections(DIAGNOSIS, report)] == [
            "causes", "parting", "integers", "vnni",
        ]  # fmt: skip


def test_nothing_found_is_no_section(ordinary: Report) -> None:
    assert sections(DIAGNOSIS, ordinary) == ()
    assert parting(ordinary) == []
    assert parting(ordinary, replace(SILENT, findings=())) == []


def test_what_was_found_is_told_without_a_picture_where_no_layer_has_a_number(ordinary: Report) -> None:
    [section] = parting(ordinary, SILENT)
    [listed] = section.blocks
    assert isinstance(listed, Bullets)
    [item] = listed.items
    assert isinstance(item, Item)
    assert item.label == FILE
    assert "its bias is gone" in item.below[0]


def test_convert_draws_the_layers_of_what_was_found_and_verify_those_of_all(ordinary: Report) -> None:
    other = replace(BROKEN, artifact="other.onnx", findings=())
    for report, names in ((ordinary, [FILE]), (verified(ordinary), [FILE, "other.onnx"])):
        [section] = parting(report, BROKEN, other)
        [drawn] = [block for block in section.blocks if isinstance(block, Figure)]
        assert [name for _, name in drawn.legend] == names
        assert drawn.drawn.startswith("<svg")


def test_causes_have_their_sentences_and_what_kernels_add(ordinary: Report) -> None:
    [section] = sections(DIAGNOSIS, replace(ordinary, attributions=(SPLIT,)))
    _, table, sentences, _, kernels = section.blocks
    assert isinstance(table, TextTable)
    assert isinstance(sentences, Bullets)
    assert "quantization 1.00 [0.30, 1.70]" in str(sentences.items[0])
    assert isinstance(kernels, TextTable)
    assert kernels.body[0][2] == "2.5 steps"


def test_a_failure_and_the_command_are_told_of_both(ordinary: Report) -> None:
    verification = verified(ordinary)
    [failures] = sections([FAILURES], verification)
    assert "a file" in str(failures.blocks)
    for report in (verification, ordinary):
        [repeat] = sections([REPEAT], report)
        assert "resnet-edge " in str(repeat.blocks)
        assert sections([REPEAT], replace(report, machine={})) == ()
