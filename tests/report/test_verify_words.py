"""The verdict on a run of `verify`: the gravest thing names it, and every word has its colour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import Looks
from resnet_edge.report.verify_sections import verify_document
from resnet_edge.report.verify_words import verdict
from tests.report.proofs import verified


@pytest.fixture
def sound(ordinary: Report) -> Verification:
    """Every proof passed."""
    return replace(verified(ordinary), parity=ordinary.parity, failures=(), data={"n": 10_000})


def test_the_gravest_thing_names_it(sound: Verification, ordinary: Report) -> None:
    broken = verified(ordinary)
    unsure = replace(sound.parity[0], verdict="inconclusive")
    doubted = replace(sound, doubts=(Doubt(kind="chance", sentence="a doubt"),))
    undecided = replace(sound, parity=(unsure, *sound.parity[1:]))
    for result, word, outcome in (
        (sound, "PASSED", "passed"),
        (broken, "NOT DONE", "incomplete"),
        (replace(broken, failures=()), "FAILED", "failed"),
        (doubted, "INCONCLUSIVE", "inconclusive"),
        (undecided, "INCONCLUSIVE", "inconclusive"),
    ):
        assert verdict(result)[0] == word
        document = verify_document(result)
        assert (document.word, document.outcome) == (word.lower(), outcome)
    assert "not all that ran give the answers" in verdict(broken)[1]
    assert "itself is in doubt" in verdict(doubted)[1]
    assert "10,000 images do not prove it" in verdict(undecided)[1]


def test_images_are_those_that_it_took(sound: Verification) -> None:
    assert verdict(sound)[1].endswith("on 10,000 images.")
    few = replace(sound.parity[0], n=500)
    early = replace(sound, parity=(few, *sound.parity[1:]), sequential=Looks(at=(500, 10_000)))
    assert verdict(early)[1].endswith("on 500 to 10,000 of 10,000 images.")


def undecided(report: Report, needed: int | None, count: int = 1) -> Verification:
    """The first `count` artifacts are not decided, the others pass."""
    verification = verified(report)
    rows = tuple(
        replace(row, verdict="inconclusive", samples_needed=needed)
        if n < count
        else replace(row, verdict="pass")
        for n, row in enumerate(verification.parity)
    )
    return replace(verification, parity=rows, failures=(), doubts=())


def test_what_is_proved_and_what_would_prove_the_rest_is_said(ordinary: Report) -> None:
    few = undecided(ordinary, 765)
    word, sentence = verdict(few)
    total = len(few.artifacts)
    assert word == "INCONCLUSIVE"
    assert sentence == (
        f"These 500 images do not prove it: {total - 1} of {total} passed, about 765 images would decide the "
        "others."
    )
    assert "passed" in verdict(undecided(ordinary, None))[1]
    none = undecided(ordinary, 765, len(few.parity))
    assert verdict(none)[1] == "These 500 images do not prove it: about 765 images would decide it."
