"""What too few images prove is said once, and by the intervals that were used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.proportion import paired_drop, samples_needed, samples_needed_for_share, wilson
from resnet_edge.core.results.parity import Cosine, LabelDrop, Parity, Verdict
from resnet_edge.core.results.report import Report
from resnet_edge.core.sequential import planned
from resnet_edge.report import summary
from resnet_edge.report.few_images import few_images, unsaid, wants_images
from tests.report.proofs import verified
from tests.report.rendered import markdown, page


def row(
    verdict: Verdict = "inconclusive",
    n: int = 240,
    lost: int = 0,
    *,
    labelled: bool = True,
    needed: int | None = 2000,
) -> Parity:
    low, high = paired_drop(n, lost, 0)
    return Parity(
        artifact=f"net.{lost}",
        backend="litert",
        device="cpu",
        n=n,
        top1=0.9 if labelled else None,
        reference_top1=0.9 if labelled else None,
        drop_pp=100 * lost / n if labelled else None,
        drop_ci95_pp=(100 * low, 100 * high) if labelled else None,
        agreement=1 - lost / n,
        max_abs=0.1,
        sqnr_db=30.0,
        verdict=verdict,
        reasons=("about the drop", "SQNR 30.0 dB"),
        samples_needed=needed,
        agreement_ci95=wilson(n - lost, n),
    )


def test_one_sentence_for_the_whole_run() -> None:
    fewest = samples_needed(1, 0, 0, 0.005)
    sentence = few_images([row(needed=fewest), row(lost=2), row("pass", 5000)], 0.5)
    assert sentence == (
        f"The 240 images prove that the inconclusive files lose at most 3 pp (--max-drop 3); 0.5 pp takes "
        f"{fewest} images, and more where answers change."
    )
    assert "the inconclusive file loses at most" in few_images([row()], 0.5)


def test_floats_that_passed_without_an_interval_are_said_to_have() -> None:
    assert few_images([row("pass"), row()], 0.5).startswith(
        "Float files passed by their numbers alone. The 240"
    )


def test_once_images_suffice_where_nothing_changes_the_rates_seen_decide() -> None:
    assert "takes about 9,000 images." in few_images([row(n=2000, lost=8, needed=9000)], 0.5)


def test_what_one_answer_more_or_less_would_change_a_thousandfold_is_not_said() -> None:
    needed = samples_needed(192, 1, 0, 0.005)
    assert needed is not None
    assert needed > 100_000
    assert f"{needed:,}" not in few_images([row(n=192, lost=1, needed=needed)], 0.5)


def test_without_labels_it_is_the_share_of_answers() -> None:
    needed = samples_needed_for_share(240, 0, 0.005)
    sentence = few_images([row(labelled=False, needed=needed)], 0.5)
    assert "gives another answer on at most 1.6 % of images (--max-drop 1.6); 0.5 % takes" in sentence
    assert f"{needed:,} images" in sentence


@pytest.mark.parametrize(
    "other",
    [
        row("pass"),
        row("fail"),
        row(n=4000),  # for another reason than their number
        row(needed=None),
        replace(row(), labels=(LabelDrop(label=0, verdict="pass", agreement=1, agreement_ci95=(0.9, 1)),)),
    ],
)
def test_nothing_is_said_where_it_is_not_their_number(other: Parity) -> None:
    assert not wants_images(other, 0.5)
    assert few_images([other], 0.5) == ""


def test_it_goes_by_the_intervals_that_were_used() -> None:
    rows = [row(n=200, lost=1)]
    assert few_images(rows, 0.5, planned(2000, 0.005).z) != few_images(rows, 0.5)


def test_different_numbers_are_a_range() -> None:
    assert few_images([row(n=100), row(n=1240, lost=9)], 0.5).startswith("The 100 to 1,240 images prove")


def test_what_the_sentence_does_not_say_is_still_said() -> None:
    remark = replace(
        row(), reasons=("about the drop", "SQNR 30.0 dB", "class 3 loses more than chance explains")
    )
    broken = row("fail")
    assert unsaid([row(), row("pass")], 0.5) == []
    (first, second) = unsaid([remark, broken], 0.5)
    assert first.reasons == ("class 3 loses more than chance explains",)
    assert second == broken


def test_the_cosine_of_an_embedding_is_no_reason() -> None:
    cosine = Cosine(mean=0.9, ci95=(0.9, 0.9), least=0.9, strangers=0)
    embedding = replace(row(), reasons=("about the drop", "SQNR 30.0 dB", "the cosine"), cosine=cosine)
    assert unsaid([embedding], 0.5) == []


@pytest.mark.parametrize("sequential", [False, True])
def test_every_report_says_it_once_and_no_paragraph_of_each_file(ordinary: Report, sequential: bool) -> None:
    rows = (*(replace(row(lost=n), artifact=a.file) for n, a in enumerate(ordinary.artifacts[:4])),)
    report = replace(ordinary, parity=(*rows, *ordinary.parity[4:]))
    verification = replace(verified(ordinary), parity=report.parity, failures=())
    if sequential:
        verification = replace(verification, sequential=planned(2000, 0.005))
    sentence = summary.verdict(report).sentence
    assert "images prove that the inconclusive files lose at most" in sentence
    assert "4 inconclusive, 4 passed" in sentence
    for text in (markdown(report), page(report), markdown(verification), page(verification)):
        assert text.count("images prove that") == 1
        assert "about the drop" not in text
