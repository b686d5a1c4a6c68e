"""Sections and blocks, before they are Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from resnet_edge.report import bench_sections, convert_sections, verify_sections
from resnet_edge.report.blocks import Bullets, Entry, Paragraph, Section, Tag, bullets, sections, texts


def test_a_section_without_blocks_is_left_out_and_the_others_stay_in_order() -> None:
    entries: list[Entry[int]] = [
        Entry("a", "First", lambda result: [Paragraph(str(result))]),
        Entry("b", "Never", lambda _: []),
        Entry("c", lambda result: f"Of {result}", lambda _: bullets(["x"])),
    ]
    assert sections(entries, 7) == (
        Section("a", "First", (Paragraph("7"),)),
        Section("c", "Of 7", (Bullets(["x"]),)),
    )


def test_no_items_are_no_list() -> None:
    assert bullets([]) == []


def test_a_cell_is_a_text_and_what_stands_beside_it() -> None:
    assert texts("net.tflite") == ("net.tflite", "")
    assert texts(("1.0", "[0.9, 1.1]")) == ("1.0", "[0.9, 1.1]")
    assert texts(Tag("FAIL", "fail")) == ("FAIL", "")


@pytest.mark.parametrize("room", [convert_sections, verify_sections, bench_sections])
def test_a_link_finds_one_section(room: Any) -> None:
    entries: Sequence[Entry[Any]] = room.SECTIONS
    anchors = [entry.anchor for entry in entries]
    assert len(set(anchors)) == len(anchors)
    assert all(anchor.replace("-", "").isalpha() and anchor.islower() for anchor in anchors)
