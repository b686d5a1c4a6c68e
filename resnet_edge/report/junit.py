"""JUnit's XML, which CI servers draw: one test case for each artifact on each backend.

The format is that of Ant's JUnit task, as GitLab, Jenkins and the actions of GitHub read it
(https://github.com/testmoapp/junitxml). An inconclusive proof is a failure of the type `inconclusive`:
nothing was proved. What could not be run is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from resnet_edge.core.printable import printable
from resnet_edge.core.results.bench import Bench
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification

Outcome = Literal["pass", "fail", "inconclusive", "skipped", "error"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One artifact (`group`) at one place (`name`), and how that ended; `reasons` are sentences. `skipped`:
    it is inconclusive, and the user lets that pass."""

    group: str
    name: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()


def proved(report: Report | Verification) -> Iterator[Case]:
    """A case for each proof, each failure, and each doubt about the model itself."""
    for row in report.parity:
        reasons = row.reasons if row.verdict != "pass" else ()
        yield Case(
            group=row.artifact, name=f"{row.backend} {row.device}", outcome=row.verdict, reasons=reasons
        )
    for failure in report.failures:
        yield Case(group=failure.what, name="made and run", outcome="error", reasons=(failure.message,))
    for doubt in open_doubts(report.doubts):
        yield Case(group="reference", name=doubt.kind, outcome="inconclusive", reasons=(doubt.sentence,))


def timed(bench: Bench) -> Iterator[Case]:
    """A case for each row, and each that could not be timed."""
    for row in bench.rows:
        steady = row.verdict == "steady"
        yield Case(
            group=row.artifact,
            name=f"{row.backend} {row.device}",
            outcome="pass" if steady else "skipped" if bench.noise_accepted else "inconclusive",
            reasons=() if steady else row.reasons,
        )
    for failed in bench.failures:
        place = f"{failed.backend} {failed.device}"
        yield Case(group=failed.artifact, name=place, outcome="error", reasons=(failed.message,))


def junit(suite: str, cases: Iterable[Case]) -> str:
    """The document, as text."""
    every = list(cases)
    root = ElementTree.Element("testsuites")
    counts = {
        "tests": len(every),
        "failures": sum(case.outcome in ("fail", "inconclusive") for case in every),
        "errors": sum(case.outcome == "error" for case in every),
        "skipped": sum(case.outcome == "skipped" for case in every),
    }
    attributes = {key: str(value) for key, value in counts.items()}
    element = ElementTree.SubElement(root, "testsuite", {"name": suite, **attributes})
    for case in every:
        within = ElementTree.SubElement(
            element, "testcase", {"classname": printable(case.group), "name": printable(case.name)}
        )
        if case.outcome != "pass":
            kind = case.outcome if case.outcome in ("error", "skipped") else "failure"
            reasons = [printable(reason) for reason in case.reasons] or [case.outcome]
            why = ElementTree.SubElement(within, kind, {"type": case.outcome, "message": reasons[0]})
            why.text = "\n".join(reasons)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
