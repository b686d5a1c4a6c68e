"""The report of `verify`, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.verification import Verification
from resnet_edge.report import words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Cell,
    Document,
    Entry,
    Facts,
    Item,
    Paragraph,
    Tag,
    TextTable,
    bullets,
    sections,
)
from resnet_edge.report.few_images import unsaid
from resnet_edge.report.first_reasons import first_reasons
from resnet_edge.report.grouped import grouped, names
from resnet_edge.report.proof_sections import ANSWERS, DIAGNOSIS, DOUBTS, FAILURES, NOTES, REPEAT
from resnet_edge.report.rows import WORDS
from resnet_edge.report.summary import machine_rows
from resnet_edge.report.verify_words import OUTCOMES, verdict


def verify_document(verification: Verification) -> Document:
    """The whole report, for every writer."""
    word, sentence = verdict(verification)
    return Document(
        name=str(verification.reference["name"]),
        kind="verification",
        version=verification.resnet_edge,
        outcome=OUTCOMES[word],
        word=word.lower(),
        sentence=sentence,
        why=() if verification.passed else first_reasons(verification),
        sections=sections(SECTIONS, verification),
    )


def _results(verification: Verification) -> Iterator[Block]:
    schemes = {artifact.file: artifact.scheme for artifact in verification.artifacts}
    schemes |= {artifact.path: artifact.scheme for artifact in verification.artifacts}
    body = tuple(_row(row, schemes.get(row.artifact, words.ABSENT)) for row in verification.parity)
    if not body:
        yield Paragraph("Nothing could be run.")
        return
    yield Paragraph("In brackets: the 95 % interval of a number.")
    header = ("Artifact", "Backend", "Scheme", "Images", "Top-1", "Drop, pp", "Agreement", "SQNR", "Verdict")
    yield TextTable(header, body, range(3, 8), names=range(1))


def _row(row: Parity, scheme: str) -> tuple[Cell, ...]:
    between = row.agreement_ci95
    low_high = "" if between is None else f"[{100 * between[0]:.2f}, {100 * between[1]:.2f}]"
    return (
        row.artifact,
        f"{row.backend} {row.device}",
        scheme,
        f"{row.n:,}",
        words.percent(row.top1, row.n),
        words.estimate(row.drop_pp, row.drop_ci95_pp, words.points),
        (words.percent(row.agreement, row.n), low_high),
        words.decibels(row.sqnr_db),
        Tag(WORDS[row.verdict], row.verdict),
    )


def _not_passed(verification: Verification) -> list[Bullets]:
    short = grouped(unsaid(verification.parity, verification.max_drop_pp))
    return bullets([Item(label=names(rows), below=reasons) for rows, reasons in short])


def _plain(entries: dict[str, Any]) -> Iterator[Block]:
    yield Facts([(key.replace("_", " "), words.plain(value)) for key, value in entries.items()])


def _machine(verification: Verification) -> Iterator[Block]:
    yield Facts(
        [
            *machine_rows(verification.machine),
            ("resnet-edge", verification.resnet_edge),
            *verification.versions.items(),
        ]
    )


SECTIONS: tuple[Entry[Verification], ...] = (
    DOUBTS,
    Entry("results", "Results", _results),
    *ANSWERS,
    *DIAGNOSIS,
    Entry("not-passed", "What did not pass", _not_passed),
    FAILURES,
    Entry("reference", "Reference", lambda verification: _plain(verification.reference)),
    Entry("data", "Data", lambda v: _plain({**v.data, "largest drop allowed, pp": v.max_drop_pp})),
    Entry("machine", "Machine and versions", _machine),
    REPEAT,
    NOTES,
)
