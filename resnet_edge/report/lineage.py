"""The model's lineage: what it was, what was done to it, and what this run made of it, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import State, Step, StepLatency
from resnet_edge.report import words
from resnet_edge.report.rows import Row, rows

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class LineageEntry:
    """The model at one point of its lineage, or one artifact on one backend.

    `title` says in words which. `top1` is the fraction right of `n` images, `images` what they
    are called, and `measured_on` tells them apart: entries where it is the same were measured
    on the same images. `step` is what was done, on the entry of the model that came of it.
    `p50_ms` is of this run.
    """

    title: str
    top1: float | None
    n: int
    images: str
    measured_on: str
    macs: int | None
    parameters: int | None
    size_bytes: int | None
    gzip_bytes: int | None
    step: Step | None = None
    artifact: Row | None = None

    @property
    def top1_ci95(self) -> Interval | None:
        """The 95 % interval of `top1`, for comparison with other images of the kind."""
        if not words.finite(self.top1) or not 0 <= self.top1 <= 1 or self.n < 1:
            return None
        return wilson(round(self.top1 * self.n), self.n)

    @property
    def p50_ms(self) -> float | None:
        """The median latency of the artifact."""
        timed = self.artifact and self.artifact.latency
        return timed.p50_ms if timed else None

    @property
    def p50_ci95_ms(self) -> Interval | None:
        """The 95 % interval of `p50_ms`."""
        timed = self.artifact and self.artifact.latency
        return timed.p50_ci95_ms if timed else None

    @property
    def speed_up(self) -> tuple[float | None, Interval | None]:
        """How much faster the step made the model, in the first of its measurements."""
        return speed_up(self.step.latency[0]) if self.step and self.step.latency else (None, None)


def entries(report: Report) -> tuple[LineageEntry, ...]:
    """The lineage from its beginning to the artifacts of this run.

    The model itself is told once more where this run measured it on other images than its
    lineage did, or where there is no lineage.
    """
    models = [*_models(report.history)]
    now = _now(report)
    if not models or (now.top1 is not None and now.measured_on != models[-1].measured_on):
        models.append(now)
    return (*models, *(_artifact(report, row) for row in rows(report) if row.artifact is not None))


def _models(history: tuple[Step, ...]) -> Iterator[LineageEntry]:
    before: State | None = None
    for step in history:
        start = step.before
        if start is not None and (before is None or _elsewhere(before, start)):
            yield _state("the model as it came" if before is None else f"the same, before {step.step}", start)
        yield _state(f"{step.step}: {step.title}", step.after, step)
        before = step.after


def _elsewhere(known: State, again: State) -> bool:
    """Whether the accuracy of a model was measured again, on other images."""
    return again.top1 is not None and _key(known) != _key(again)


def _key(state: State) -> str:
    if state.top1 is None:
        return ""
    return state.images_sha256 or f"{state.n} {state.images}"


def _state(title: str, state: State, step: Step | None = None) -> LineageEntry:
    return LineageEntry(
        title=title,
        top1=state.top1,
        n=state.n,
        images=state.images or words.count(state.n, "image"),
        measured_on=_key(state),
        macs=state.macs,
        parameters=state.parameters,
        size_bytes=state.file_bytes or None,
        gzip_bytes=state.gzip_bytes or None,
        step=step,
    )


def _now(report: Report) -> LineageEntry:
    """The model as this run measured it: the reference of every proof."""
    proof = next((row for row in report.parity if words.finite(row.reference_top1)), None)
    last = report.history[-1].after if report.history else None
    return LineageEntry(
        title="the same, in this run" if report.history else "the model as it came",
        top1=proof.reference_top1 if proof else None,
        n=proof.n if proof else 0,
        images=_images(report, proof.n) if proof else "",
        measured_on=_data_key(report) if proof else "",
        macs=report.model.macs,
        parameters=report.model.parameters,
        size_bytes=(last.file_bytes or None) if last else None,
        gzip_bytes=(last.gzip_bytes or None) if last else None,
    )


def _artifact(report: Report, row: Row) -> LineageEntry:
    assert row.artifact is not None
    proof = row.parity if row.parity is not None and words.finite(row.parity.top1) else None
    return LineageEntry(
        title=f"{row.artifact.scheme} {row.artifact.format}, {row.backend} {row.device}".strip(", "),
        top1=proof.top1 if proof else None,
        n=proof.n if proof else 0,
        images=_images(report, proof.n) if proof else "",
        measured_on=_data_key(report) if proof else "",
        macs=report.model.macs,
        parameters=None,  # not the model's: its BatchNormalization is folded into the convolutions
        size_bytes=row.artifact.size_bytes,
        gzip_bytes=report.gzip_bytes.get(row.file),
        artifact=row,
    )


def _data_key(report: Report) -> str:
    return str(report.data.get("sha256", "this run"))


def _images(report: Report, n: int) -> str:
    return f"{words.count(n, 'image')} of {words.plain(report.data.get('source', 'this run'))}"


def speed_up(latency: StepLatency) -> tuple[float | None, Interval | None]:
    """How much faster, with its interval: above 1 is faster, as everywhere in a report."""
    if not latency.ratio > 0:
        return None, None
    bounds = latency.ratio_ci95
    if bounds is None or not min(bounds) > 0:
        return 1 / latency.ratio, None
    return 1 / latency.ratio, (1 / bounds[1], 1 / bounds[0])


def apart(entries: tuple[LineageEntry, ...]) -> bool:
    """Whether accuracies of these entries were measured on different images."""
    return len({entry.measured_on for entry in entries if entry.top1 is not None}) > 1
