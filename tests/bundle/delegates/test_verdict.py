"""From a verdict on each operation to an outlook."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.bundle.delegates._verdict import LONGEST_LIST, DelegateVerdict, ListOrigin, outlook_of
from resnet_edge.core.results.outlook import LeftOp

GPU = ListOrigin(delegate="gpu", title="The GPU", kind="documented", source="its list", date="2026-01-02")


def verdicts(taken: int, *left: tuple[str, str], macs: int = 100) -> list[DelegateVerdict]:
    return [
        *(DelegateVerdict("CONV_2D", macs, None) for _ in range(taken)),
        *(DelegateVerdict(op, macs, reason) for op, reason in left),
    ]


def test_all_taken_is_said_without_a_rest() -> None:
    outlook = outlook_of(GPU, verdicts(3))
    assert (outlook.ops_taken, outlook.ops_total, outlook.mac_share, outlook.left) == (3, 3, 1.0, ())
    assert outlook.sentence == (
        "The GPU takes 3 of 3 operations and 100.0 % of the multiply-accumulates, by its documentation."
    )


def test_the_same_operation_for_the_same_reason_is_counted() -> None:
    outlook = outlook_of(GPU, verdicts(1, ("ADD", "too wide"), ("ADD", "too wide"), ("ADD", "no such type")))
    assert outlook.left == (LeftOp("ADD", 1, "no such type"), LeftOp("ADD", 2, "too wide"))
    assert outlook.mac_share == 0.25
    assert outlook.sentence.endswith("; the CPU keeps 1 ADD (no such type), 2 ADD (too wide).")


def test_nearly_all_is_not_all() -> None:
    """100 % is all of them."""
    outlook = outlook_of(GPU, [DelegateVerdict("CONV_2D", 10**7, None), DelegateVerdict("ADD", 1, "x")])
    assert "and 99.9 % of the multiply-accumulates" in outlook.sentence


def test_without_work_there_is_no_share() -> None:
    outlook = outlook_of(GPU, verdicts(2, macs=0))
    assert outlook.mac_share is None
    assert "multiply-accumulates" not in outlook.sentence
    assert outlook_of(GPU, []).sentence == "The GPU takes 0 of 0 operations, by its documentation."


@pytest.mark.parametrize("more", [0, 3])
def test_a_long_list_is_shortened_and_adds_up(more: int) -> None:
    left = [(f"OP_{n}", "no such operation") for n in range(LONGEST_LIST + more)]
    sentence = outlook_of(GPU, verdicts(1, *left)).sentence
    assert sentence.count("OP_") == LONGEST_LIST
    assert ("3 others." in sentence) == bool(more)


def test_warnings_stand_in_the_sentence_too() -> None:
    origin = replace(GPU, kind="estimated", verb="runs", rest="the host keeps")
    outlook = outlook_of(origin, verdicts(1), ["It rounds."], {"cycles": 7.0}, "It needs 3 MB.")
    assert outlook.sentence.endswith("by its compiler's estimate. It rounds. It needs 3 MB.")
    assert (outlook.warnings, outlook.facts) == (("It rounds.",), {"cycles": 7.0})
