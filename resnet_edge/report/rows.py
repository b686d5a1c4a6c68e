"""The rows of the table: one for each artifact on each backend and device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report

Standing = Literal["pass", "fail", "inconclusive", "unverified", "reference"]

WORDS: dict[Standing, str] = {
    "pass": "pass",
    "fail": "FAIL",
    "inconclusive": "inconclusive",
    "unverified": "not verified",
    "reference": "reference",
}
"""How a verdict is printed: to be told apart without colour."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known of one file on one backend and device.

    `artifact` is None for what was measured beside the artifacts, as the Keras model itself.
    """

    file: str
    artifact: Artifact | None
    backend: str
    device: str
    parity: Parity | None
    latency: Latency | None

    @property
    def standing(self) -> Standing:
        """The verdict of this row alone."""
        if self.parity is not None:
            return self.parity.verdict
        return "reference" if self.artifact is None else "unverified"


def rows(report: Report) -> tuple[Row, ...]:
    """In the order of the artifacts, then of the proofs; what is no artifact comes last."""
    artifacts = {artifact.file: artifact for artifact in report.artifacts}
    measured: Sequence[Parity | Latency] = (*report.parity, *report.latency)
    files = dict.fromkeys([*artifacts, *(entry.artifact for entry in measured)])
    return tuple(row for file in files for row in _of_file(report, file, artifacts.get(file)))


def _of_file(report: Report, file: str, artifact: Artifact | None) -> list[Row]:
    proofs = [p for p in report.parity if p.artifact == file]
    timings = [t for t in report.latency if t.artifact == file]
    targets = dict.fromkeys(
        [*((p.backend, p.device) for p in proofs), *((t.backend, t.device) for t in timings)]
    )
    measured = []
    for backend, device in targets:
        here: list[Parity | None] = [p for p in proofs if (p.backend, p.device) == (backend, device)]
        timed: list[Latency | None] = [t for t in timings if (t.backend, t.device) == (backend, device)]
        pairs = product(here or [None], timed or [None])
        measured += [
            Row(file=file, artifact=artifact, backend=backend, device=device, parity=parity, latency=latency)
            for parity, latency in pairs
        ]
    return measured or [Row(file=file, artifact=artifact, backend="", device="", parity=None, latency=None)]


def standing_of(report: Report, file: str) -> Standing:
    """The verdict on an artifact: its worst one over all backends."""
    verdicts = {parity.verdict for parity in report.parity if parity.artifact == file}
    worst: tuple[Standing, ...] = ("fail", "inconclusive", "pass")
    return next((verdict for verdict in worst if verdict in verdicts), "unverified")


def conditions(report: Report) -> str:
    """How latency was measured, where that is the same for all: `1 thread, batch 1`."""
    distinct = dict.fromkeys(_conditions(timing) for timing in report.latency)
    return next(iter(distinct)) if len(distinct) == 1 else ""


def target(report: Report, row: Row) -> str:
    """`litert cpu`, with threads and batch where they differ between rows; a dash where the
    artifact ran nowhere."""
    words = [f"{row.backend} {row.device}".strip() or "–"]
    if row.latency is not None and not conditions(report):
        words.append(_conditions(row.latency))
    return ", ".join(words)


def _conditions(timing: Latency) -> str:
    return f"{timing.threads} thread{'' if timing.threads == 1 else 's'}, batch {timing.batch}"
