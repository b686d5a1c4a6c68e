"""What the pictures of a bench show: latencies, accuracy against latency, and how near the limit is."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.results.latency import Latency
from resnet_edge.report import words
from resnet_edge.report.bench_words import name_of
from resnet_edge.report.charts.accuracy_latency import Chart, chart_of
from resnet_edge.report.charts.dot_plot import DotPlot, DotRow
from resnet_edge.report.charts.scheme_colours import scheme_colour
from resnet_edge.report.rows import Row


class Palette:
    """A colour for each scheme, that of every page, and a shape for each place, the same in all pictures of
    one bench."""

    def __init__(self, rows: Sequence[Timing]) -> None:
        self.schemes = tuple(dict.fromkeys(scheme_of(row) for row in rows))
        self.places = tuple(dict.fromkeys(place_of(row) for row in rows))

    def colour(self, row: Timing) -> int:
        """By number, as `svg.colour` takes it."""
        return scheme_colour(scheme_of(row))

    def shape(self, row: Timing) -> int:
        """By number, as `svg.marker` takes it."""
        return self.places.index(place_of(row))


def scheme_of(row: Timing) -> str:
    """The scheme that an artifact's name tells, or its format."""
    return row.scheme or row.format


def place_of(row: Timing) -> str:
    """The backend and the device."""
    return f"{row.backend} {row.device}"


def sure(row: Timing) -> bool:
    """Whether its figure comes out so again."""
    return row.verdict == "steady"


def latency_plot(rows: Sequence[Timing], model: str, palette: Palette) -> DotPlot:
    """The median latency of every row, with its interval, the fastest first."""
    return DotPlot(
        rows=tuple(_latency_row(row, model, palette) for row in sorted(rows, key=lambda row: row.p50_ms)),
        axis="median latency of one call, ms",
        title="Median latency of every artifact with its interval; the table below holds the same numbers",
    )


def _latency_row(row: Timing, model: str, palette: Palette) -> DotRow:
    spelled = words.milliseconds(row.p50_ms)
    between = words.interval(row.p50_ci95_ms, words.milliseconds)
    state = "" if sure(row) else ", perhaps not repeatable"
    return DotRow(
        name=words.printable(name_of(row, model)),
        place=words.printable(place_of(row)),
        at=row.p50_ms,
        interval=row.p50_ci95_ms,
        value=f"{spelled} ms",
        more=f"{words.speed_up(row.times_fastest)} · rank {row.rank}{'' if sure(row) else '?'}",
        detail=words.printable(f"{row.artifact} on {place_of(row)}: p50 {spelled} ms {between}{state}"),
        colour=palette.colour(row),
        shape=palette.shape(row),
        hollow=not sure(row),
    )


def limit_plot(rows: Sequence[Timing], model: str, palette: Palette) -> DotPlot | None:
    """How near every row is to its limit, the nearest first; None where no limit is known."""
    known = sorted(
        (row for row in rows if row.roofline), key=lambda row: -(row.roofline.share if row.roofline else 0)
    )
    if not known:
        return None
    return DotPlot(
        rows=tuple(_limit_row(row, model, palette) for row in known),
        axis="share of what these cores can do at most, %",
        title="How near every artifact is to its limit; the table below holds the same numbers",
        bars=True,
        limit=(100.0, "limit"),
    )


def _limit_row(row: Timing, model: str, palette: Palette) -> DotRow:
    roofline = row.roofline
    assert roofline is not None  # limit_plot draws no other
    limit = f"limit {words.milliseconds(roofline.limit_ms)} ms, {roofline.bound}"
    return DotRow(
        name=words.printable(name_of(row, model)),
        place=words.printable(place_of(row)),
        at=100 * roofline.share,
        interval=None,
        value=f"{roofline.share:.0%} of {words.milliseconds(row.p50_ms)} ms",
        more=f"limit {words.milliseconds(roofline.limit_ms)} ms",
        detail=words.printable(f"{row.artifact} on {place_of(row)}: {limit}"),
        colour=palette.colour(row),
        hollow=not sure(row),
    )


def accuracy_chart(bench: Bench, model: str) -> Chart | None:
    """Accuracy against latency; None where no proof speaks of the files that were timed."""
    if not bench.accuracy.proofs:
        return None
    rows = [_row(bench, row) for row in bench.rows]
    return chart_of(rows, model, lambda row: f"{row.backend} {row.device}", None)


def tested_on(bench: Bench) -> str:
    """How many images the accuracies rest on."""
    numbers = sorted({proof.n for proof in bench.accuracy.proofs})
    least = f"{numbers[0]:,} to " if len(numbers) > 1 else ""
    return least + words.count(numbers[-1] if numbers else 0, "image")


def _row(bench: Bench, row: Timing) -> Row:
    """As the report of `convert` has it. A proof counts only where the same backend and device ran."""
    key = (row.artifact, row.backend, row.device)
    proof = next((p for p in bench.accuracy.proofs if (p.artifact, p.backend, p.device) == key), None)
    is_reference = row.artifact in bench.accuracy.references
    return Row(
        file=row.artifact,
        artifact=None
        if is_reference
        else Artifact(
            path=row.artifact,
            format=row.format,
            scheme=scheme_of(row),
            size_bytes=0,
            sha256="",
            inputs=(),
            outputs=(),
        ),
        backend=row.backend,
        device=row.device,
        parity=proof,
        latency=Latency(
            artifact=row.artifact,
            backend=row.backend,
            device=row.device,
            threads=row.threads,
            batch=row.batch,
            n=row.n,
            p50_ms=row.p50_ms,
            p90_ms=row.p90_ms,
            p50_ci95_ms=row.p50_ci95_ms,
            vs_fp32=None,
        ),
    )
