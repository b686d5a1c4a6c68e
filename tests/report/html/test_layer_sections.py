"""Tests of the sections on causes and on layers."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.report.html.layer_sections import EXPLAINED_TITLE, causes_section, explained_section
from tests.report.proofs import BROKEN, FILE, SPLIT


def test_nothing_found_is_no_section() -> None:
    assert causes_section([]) == ""
    assert explained_section([], []) == ""
    assert explained_section([replace(BROKEN, findings=())], []) == ""


def test_what_was_found_is_told_without_a_picture_where_no_layer_has_a_number() -> None:
    silent = replace(BROKEN, trace=tuple(replace(each, sqnr_db=None) for each in BROKEN.trace))
    html = explained_section([silent], [silent])
    assert EXPLAINED_TITLE in html
    assert "its bias is gone" in html
    assert "<svg" not in html


def test_the_layers_of_what_is_drawn_are_drawn_and_of_nothing_else() -> None:
    other = replace(BROKEN, artifact="other.onnx", findings=())
    html = explained_section([BROKEN, other], [BROKEN])
    assert "<svg" in html
    assert f"{FILE}</li>" in html
    assert "other.onnx" not in html
    both = explained_section([BROKEN, other], [BROKEN, other])
    assert "other.onnx</li>" in both


def test_causes_have_their_sentences_and_what_kernels_add() -> None:
    html = causes_section([SPLIT])
    assert "quantization 1.00 [0.30, 1.70]" in html
    assert "2.5 steps" in html
    assert "<script" not in html
