"""What `verify` found, as one HTML file with everything in it, in the style of the convert report."""

from __future__ import annotations

from typing import Any

from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.verification import Verification
from resnet_edge.report import words
from resnet_edge.report.doubted import TITLE, doubted
from resnet_edge.report.grouped import grouped, names
from resnet_edge.report.html.elements import (
    document,
    facts,
    head,
    listing,
    over,
    reasons,
    safe,
    section,
    shell,
    table,
    tag,
)
from resnet_edge.report.html.integer_sections import ran_section, risk_section
from resnet_edge.report.html.layer_sections import causes_section, explained_section
from resnet_edge.report.html.lint_section import lint_section
from resnet_edge.report.rows import WORDS

HEADER = ("Artifact", "Backend", "Scheme", "Images", "Top-1", "Drop, pp", "Agreement", "SQNR", "Verdict")


def verify_page(found: Verification, word: str, sentence: str) -> str:
    """The whole page; `word` and `sentence` are the verdict. Every string from outside is escaped."""
    short = grouped(row for row in found.parity if row.verdict != "pass")
    failed = [(names(rows), [*told]) for rows, told in short]
    name = str(found.reference["name"])
    sections = [
        head(f"resnet-edge {found.resnet_edge} · verification", name, word.lower(), word.lower(), sentence),
        section(TITLE, listing(doubted(found.doubts))) if found.doubts else "",
        _results(found),
        causes_section(found.attributions),
        explained_section(found.explanations, found.explanations),
        ran_section(found.executions),
        risk_section(found.int8_risks),
        lint_section(found.calibration_lint),
        reasons("What did not pass", failed),
        reasons("What could not be done", [(f.what, [f.message]) for f in found.failures]),
        section("Reference", facts(_plain(found.reference))),
        section("Data", facts(_plain({**found.data, "largest drop allowed, pp": found.max_drop_pp}))),
        section("Machine and versions", facts(_machine(found))),
        section("How to repeat it", shell(words.printable(str(found.machine.get("command", ""))))),
        section("Notes", listing(found.notes)) if found.notes else "",
    ]
    return document(f"{name}: verification", sections)


def _results(found: Verification) -> str:
    schemes = {artifact.file: artifact.scheme for artifact in found.artifacts}
    schemes |= {artifact.path: artifact.scheme for artifact in found.artifacts}
    body = [_row(row, schemes.get(row.artifact, words.ABSENT)) for row in found.parity]
    if not body:
        return section("Results", "<p>Nothing could be run.</p>")
    return section(
        "Results", f'<p class="soft">Under a number: its 95 % interval.</p>{table(HEADER, body, range(3, 8))}'
    )


def _row(row: Parity, scheme: str) -> list[str]:
    between = row.agreement_ci95
    low_high = "" if between is None else f"[{100 * between[0]:.2f}, {100 * between[1]:.2f}]"
    return [
        safe(row.artifact),
        safe(f"{row.backend} {row.device}"),
        safe(scheme),
        f"{row.n:,}",
        words.percent(row.top1, row.n),
        over(*words.estimate(row.drop_pp, row.drop_ci95_pp, words.points)),
        over(words.percent(row.agreement, row.n), low_high),
        words.decibels(row.sqnr_db),
        tag(row.verdict, WORDS[row.verdict]),
    ]


def _plain(entries: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), words.plain(value)) for key, value in entries.items()]


def _machine(found: Verification) -> list[tuple[str, str]]:
    machine = [(key, words.plain(value)) for key, value in found.machine.items() if key != "command"]
    return [*machine, ("resnet-edge", found.resnet_edge), *found.versions.items()]
