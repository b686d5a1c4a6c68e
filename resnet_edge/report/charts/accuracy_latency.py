"""What the picture shows, before a single pixel: points, intervals, reference, scales."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from resnet_edge.core.results.report import Report
from resnet_edge.report import words
from resnet_edge.report.charts.scheme_colours import scheme_colour
from resnet_edge.report.rows import WORDS, Row, Standing, rows, target

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One row of the table. `x` in milliseconds (or megabytes), `y` in percent; `colour` is that of the
    scheme (scheme_colours), `shape` an index into the chart's legend."""

    label: str
    detail: str
    x: float
    x_interval: Range | None
    y: float
    y_interval: Range | None
    colour: int
    shape: int
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class Dot:
    """Something that is only a dot beside the points, in their units; `detail` is what a pointer shows."""

    x: float
    y: float
    detail: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The points and what frames them. `reference` is the Keras model's top-1 in percent and
    `permitted` the lowest top-1 that the permitted drop allows; None on unlabelled data."""

    points: tuple[Point, ...]
    schemes: tuple[str, ...]
    shapes: tuple[str, ...]
    x_title: str
    y_title: str
    reference: float | None
    permitted: float | None
    left_out: tuple[str, ...]
    dots: tuple[Dot, ...] = ()


def chart(report: Report) -> Chart | None:
    """None where nothing was both verified and measured.

    x is latency; where none was measured, file size. y is top-1; on unlabelled data,
    agreement with the reference.
    """
    return chart_of(rows(report), report.model.name, partial(target, report), report.max_drop_pp)


def chart_of(
    rows: Sequence[Row], model: str, place: Callable[[Row], str], max_drop_pp: float | None
) -> Chart | None:
    """The same of any rows, which are of one `model`; `place` says where a row ran, and without
    `max_drop_pp` no drop is permitted."""
    by_top1 = any(row.parity and words.finite(row.parity.top1) for row in rows)
    by_latency = any(row.latency and _positive(row.latency.p50_ms) for row in rows)
    reference = _reference(rows) if by_top1 else None
    spots = [(row, _x(row, by_latency), _y(row, reference, by_top1)) for row in rows]
    drawn = [(row, x, y) for row, x, y in spots if x is not None and y is not None]
    if not drawn:
        return None
    shapes = tuple(dict.fromkeys(_place(row) for row in rows))
    labels = _labels([row for row, _, _ in drawn], model)
    return Chart(
        points=tuple(
            Point(
                label=label,
                detail=_detail(row, place(row)),
                x=x,
                x_interval=_x_interval(row) if by_latency else None,
                y=y,
                y_interval=_y_interval(row) if by_top1 else None,
                colour=scheme_colour(_scheme(row)),
                shape=shapes.index(_place(row)),
                standing=row.standing,
            )
            for (row, x, y), label in zip(drawn, labels, strict=True)
        ),
        schemes=tuple(dict.fromkeys(_scheme(row) for row, _, _ in drawn)),
        shapes=shapes,
        x_title="median latency, ms (log scale)" if by_latency else "file size, MB (log scale)",
        y_title="top-1, %" if by_top1 else "agreement with the reference, %",
        reference=reference,
        permitted=reference - max_drop_pp if reference is not None and words.finite(max_drop_pp) else None,
        left_out=tuple(f"{row.file} ({place(row)})" for row, x, y in spots if x is None or y is None),
    )


def _positive(value: float) -> bool:
    return words.finite(value) and value > 0


def _scheme(row: Row) -> str:
    return row.artifact.scheme if row.artifact else "reference"


def _place(row: Row) -> str:
    return f"{row.backend} {row.device}".strip() or words.ABSENT


def _reference(rows: Sequence[Row]) -> float | None:
    """The top-1 of the model itself, where all rows were compared with the same."""
    known = {row.parity.reference_top1 for row in rows if row.parity}
    values = {value for value in known if words.finite(value)}
    return 100 * values.pop() if len(values) == 1 else None


def _x(row: Row, by_latency: bool) -> float | None:
    if by_latency:
        return row.latency.p50_ms if row.latency and _positive(row.latency.p50_ms) else None
    return row.artifact.size_bytes / 1e6 if row.artifact and row.artifact.size_bytes > 0 else None


def _x_interval(row: Row) -> Range | None:
    bounds = row.latency.p50_ci95_ms if row.latency else None
    return bounds if bounds and all(_positive(bound) for bound in bounds) else None


def _y(row: Row, reference: float | None, by_top1: bool) -> float | None:
    if row.standing == "reference":
        return reference if by_top1 else 100.0
    proof = row.parity
    value = None if proof is None else proof.top1 if by_top1 else proof.agreement
    return 100 * value if words.finite(value) else None


def _y_interval(row: Row) -> Range | None:
    """The interval of the drop, hung from the reference: it is paired, so it says how far
    the artifact lies from the reference, not how well either is known."""
    proof = row.parity
    if proof is None or proof.drop_ci95_pp is None or not words.finite(proof.reference_top1):
        return None
    if not all(words.finite(bound) for bound in proof.drop_ci95_pp):
        return None
    low, high = proof.drop_ci95_pp
    return 100 * proof.reference_top1 - high, 100 * proof.reference_top1 - low


def _labels(rows: list[Row], model: str) -> list[str]:
    """The file names without what all have in common in front, up to a separator; with the
    backend where a file was run on several."""
    files = [row.file for row in rows]
    common = re.match(r".*[._-]", os.path.commonprefix(files)) if len(set(files)) > 1 else None
    prefix = common.group() if common else f"{model}."
    return [
        words.printable(
            row.file.removeprefix(prefix) + (f" {_place(row)}" if files.count(row.file) > 1 else "")
        )
        for row in rows
    ]


def _detail(row: Row, place: str) -> str:
    parts = [f"{row.file} on {place}"]
    if row.latency:
        parts.append(f"p50 {words.milliseconds(row.latency.p50_ms)} ms")
    if row.parity:
        parts.append(f"top-1 {words.percent(row.parity.top1, row.parity.n)}")
        parts.append(
            f"drop {words.points(row.parity.drop_pp)} pp {words.interval(row.parity.drop_ci95_pp)}".strip()
        )
    return words.printable(", ".join([*parts, WORDS[row.standing]]))
