"""Tests of ACCELERATORS.md."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.outlook import FileOutlook, LeftOp, Outlook
from resnet_edge.report.bundle.accelerators import accelerators_markdown
from tests.report.conftest import EVIL

GPU = Outlook(
    delegate="gpu",
    title="The GPU of phones",
    kind="documented",
    source="its list of operations",
    date="2026-01-02",
    ops_taken=9,
    ops_total=10,
    mac_share=0.99999,
    left=(LeftOp("SOFTMAX", 1, "it is no operation of it"),),
    sentence="nine of ten",
    facts={"parts": 3.0},
)


def markdown(*rows: FileOutlook) -> str:
    return accelerators_markdown(rows)


def test_a_share_is_rounded_down() -> None:
    """100 % is all of them."""
    assert "| `a.tflite` | 9 of 10 | 99.9 % | 1 SOFTMAX (it is no operation of it) |" in markdown(
        FileOutlook("a.tflite", "gpu", GPU, "")
    )
    assert "| 100.0 % |" in markdown(FileOutlook("a.tflite", "gpu", replace(GPU, mac_share=1.0), ""))


def test_a_delegate_has_one_section_with_its_source() -> None:
    text = markdown(
        FileOutlook("a.tflite", "gpu", GPU, ""),
        FileOutlook("b.tflite", "npu", None, "its compiler is not installed"),
        FileOutlook("c.tflite", "gpu", GPU, ""),
    )
    assert text.count("## The GPU of phones") == 1
    assert "By what its documentation or source says: its list of operations, read on 2026-01-02." in text
    assert "## npu" in text
    assert "- `b.tflite`: not asked. its compiler is not installed" in text
    assert text.index("c.tflite") < text.index("## npu"), "rows of one delegate stand together"


def test_a_warning_of_several_files_is_told_once() -> None:
    warned = replace(GPU, warnings=("it computes in float16",))
    text = markdown(FileOutlook("a.tflite", "gpu", warned, ""), FileOutlook("b.tflite", "gpu", warned, ""))
    assert "- `a.tflite`, `b.tflite`: **it computes in float16**" in text


def test_pieces_are_told_where_there_are_several() -> None:
    assert "the CPU's operations cut the rest into 3 pieces" in markdown(FileOutlook("a", "gpu", GPU, ""))
    assert "pieces" not in markdown(FileOutlook("a", "gpu", replace(GPU, facts={"parts": 1.0}), ""))


def test_names_from_outside_make_no_markup() -> None:
    text = markdown(FileOutlook("a", "gpu", replace(GPU, title=EVIL, source=EVIL, warnings=(EVIL,)), ""))
    assert "<script" not in text.replace("`", "")
