"""Which step loses how much, in words and a table."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.tolerances import INT8
from resnet_edge.report.causes import causes_how, causes_sentences, causes_table, kernels_table
from tests.report.proofs import FILE, SPLIT


def test_every_step_has_its_interval() -> None:
    rows = causes_table([SPLIT])
    assert rows is not None
    assert rows.header == ("Artifact", "Preprocessing", "Quantization", "Kernels", "All")
    assert rows.body[0][2] == ("1.00", "[0.30, 1.70]")
    assert causes_sentences([SPLIT])[0] == (
        f"{FILE} on onnxruntime cpu loses 0.80 [0.10, 1.50] pp on 500 images: "
        "quantization 1.00 [0.30, 1.70], kernels −0.20 [−0.90, 0.50]; no other step changes an answer."
    )
    assert "quantization: the file as it is written" in causes_how([SPLIT])
    assert causes_table([]) is None
    assert causes_how([]) == ""


def test_without_labels_answers_that_change_are_told() -> None:
    shares = tuple(replace(one, drop_pp=None, drop_ci95_pp=None) for one in SPLIT.shares)
    attribution = replace(SPLIT, shares=shares, whole=replace(SPLIT.whole, drop_pp=None, drop_ci95_pp=None))
    rows = causes_table([attribution])
    assert rows is not None
    assert rows.body[0][2] == ("2.00 %", "[1.00, 4.00]")
    assert "changes 2.20 % [1.10, 4.40] on 500 images" in causes_sentences([attribution])[0]


def test_kernels_are_told_with_what_they_may_and_why() -> None:
    rows = kernels_table([SPLIT])
    assert rows is not None
    assert rows.body[0][1:3] == ("0.6 steps", "2.5 steps")
    assert INT8.reason in str(rows.body[0][3])
