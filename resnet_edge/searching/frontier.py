"""Runs in the parent. The frontier: what stayed, measured side by side, on images that no trial saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.core.backend_name import on_host
from resnet_edge.core.proportion import drop_points, samples_needed, wilson
from resnet_edge.core.results.search import FrontierPoint
from resnet_edge.core.sequential import quantile
from resnet_edge.searching.comparison import (
    ComparedPoint,
    PointComparison,
    changes,
    first_that_beats,
    frontier,
    in_words,
)
from resnet_edge.searching.finals import SECONDS, Final, Finals
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.standing import Baseline, certainly_missed
from resnet_edge.searching.trials import Trials


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """The model's own fp32 file and the points, the fastest first."""

    model: FrontierPoint
    points: tuple[FrontierPoint, ...]
    notes: tuple[str, ...]


class Measuring:
    """Measures what `finals` make."""

    def __init__(self, trials: Trials, finals: Finals, baseline: Baseline) -> None:
        self._trials, self._finals, self._baseline = trials, finals, baseline
        self._context, self._notes = trials.context, list[str]()
        self._held_out = self._context.images.n - self._context.searched_on

    def frontier(self, stays: Sequence[Outcome]) -> Frontier:
        """Of what stayed in the search. Raises OutputError."""
        model, *finals = self._timed([self._finals.model(), *self._finals.convert(stays)])
        kept = self._undominated(self._within_limits(finals))
        points = tuple(self._point(one, kept) for one in sorted(kept, key=_by_latency))
        knee = knee_of(points)
        return Frontier(
            model=self._point(model, []),
            points=tuple(replace(point, knee=number == knee) for number, point in enumerate(points)),
            notes=(*self._finals.notes, *self._notes),
        )

    def _within_limits(self, finals: Sequence[Final]) -> list[Final]:
        """What misses a limit beyond chance here, on other images and under another clock, leaves too."""
        limits, n = self._context.request.limits, self._held_out
        model = replace(self._baseline, bits=self._baseline.bits >> self._context.searched_on)
        kept = []
        for final in finals:
            between = None if final.latency is None else final.latency.p50_ci95_ms
            here = replace(
                final.outcome,
                n=n,
                right=f"{final.bits & ((1 << n) - 1):x}",
                latency_ratio_ci95=between and (between[0] / model.p50_ms, between[1] / model.p50_ms),
            )
            missed = certainly_missed(here, limits, model, self._comparison(len(finals)).z)
            if missed:
                self._gone(final, "; ".join(missed))
            else:
                kept.append(final)
        return kept

    def _undominated(self, finals: Sequence[Final]) -> list[Final]:
        comparison = self._comparison(len(finals))
        compared = {one.outcome.number: self._as_compared(one) for one in finals}
        staying = {point.number for point in frontier([*compared.values()], comparison)}
        on_it = [compared[number] for number in sorted(staying)]
        kept = [one for one in finals if one.outcome.number in staying]
        for gone in (one for one in finals if one not in kept):
            own = compared[gone.outcome.number]
            rival = first_that_beats(own, on_it, comparison)
            assert rival is not None  # it is not on the frontier
            better = in_words(rival, own, comparison)
            self._gone(gone, f"trial {rival.number} is better in {better}, and no worse in anything")
        self._say_undecided(on_it, comparison)
        return kept

    def _gone(self, final: Final, why: str) -> None:
        self._finals.remove(final.folder)
        number, recipe = final.outcome.number, final.outcome.configuration.words
        unseen = f"on the {self._held_out:,} images that no trial saw"
        self._notes.append(f"trial {number} ({recipe}) left at the end: {unseen} {why}")

    def _timed(self, finals: Sequence[Final]) -> list[Final]:
        """All of them in one run, side by side."""
        context, target = self._context, self._context.target
        task = MeasureLatency(
            artifacts=tuple(
                LatencyTarget(
                    path=one.artifact.path,
                    file=f"{number}",
                    format=one.artifact.format,
                    scheme=one.artifact.scheme,
                    backend=target.runtime,
                    device=target.device,
                    images=context.at(one.outcome.configuration.input_size).noise,
                )
                for number, one in enumerate(finals)
            ),
            images=context.at(None).noise,
            threads=context.request.threads,
            rounds=None,
            budget_seconds=SECONDS * len(finals),
            seed=context.request.seed,
        )
        with context.store.quiet():
            measured = context.clock.run(task)
        self._notes += [f"{failure.what}: {failure.message}" for failure in measured.failures]
        rows = {
            int(row.artifact): replace(row, backend=on_host(row.backend, target.host))
            for row in measured.latencies
        }
        return [replace(one, latency=rows.get(number)) for number, one in enumerate(finals)]

    def _comparison(self, count: int) -> PointComparison:
        """In which the intervals of all pairs hold together."""
        return replace(self._trials.comparison, z=quantile(max(1, count * (count - 1) // 2)))

    def _as_compared(self, final: Final) -> ComparedPoint:
        return ComparedPoint(
            number=final.outcome.number,
            n=self._held_out,
            bits=final.bits,
            latency=None if final.latency is None else final.latency.p50_ci95_ms,
            size=final.artifact.size_bytes,
            download=final.download_bytes,
        )

    def _say_undecided(self, points: Sequence[ComparedPoint], comparison: PointComparison) -> None:
        """How many images would tell whether points make others leave."""
        limit, z = comparison.equal_pp / 100, comparison.z
        open_pairs = [pair for pair in permutations(points, 2) if comparison.undecided(*pair)]
        needed = [
            samples_needed(self._held_out, *changes(theirs.bits, ours.bits, self._held_out), limit, z)
            for ours, theirs in open_pairs
        ]
        if not open_pairs:
            return
        ours, theirs = open_pairs[0]
        known = [each for each in needed if each is not None]
        more = f"about {max(known):,} images would" if known else "no number of images would"
        others = f", and {len(open_pairs) - 1} more such pairs" if len(open_pairs) > 1 else ""
        images = "1 image does" if self._held_out == 1 else f"{self._held_out:,} images do"
        self._notes.append(
            f"{images} not tell whether trial {ours.number}, which is better than trial {theirs.number} in "
            f"all else, is as accurate within {comparison.equal_pp:g} pp{others}: {more}"
        )

    def _point(self, final: Final, all_of_them: Sequence[Final]) -> FrontierPoint:
        n, outcome, latency = self._held_out, final.outcome, final.latency
        drop = drop_points(n, *changes(self._baseline.bits >> self._context.searched_on, final.bits, n))
        labelled = self._context.images.labels is not None
        mask = (1 << n) - 1
        right = (final.bits & mask).bit_count()
        ours = self._as_compared(final)
        low, high = wilson(right, n)
        return FrontierPoint(
            number=outcome.number,
            folder=final.folder,
            file=final.artifact.file,
            configuration=outcome.configuration,
            n=n,
            top1=right / n if labelled else None,
            top1_ci95=(low, high) if labelled else None,
            drop_pp=drop.value,
            drop_ci95_pp=(drop.low, drop.high),
            p50_ms=None if latency is None else latency.p50_ms,
            p50_ci95_ms=None if latency is None else latency.p50_ci95_ms,
            size_bytes=final.artifact.size_bytes,
            download_bytes=final.download_bytes,
            macs=outcome.macs or self._context.facts.macs,
            parameters=outcome.parameters or self._context.facts.parameters,
            verdict=final.verdict,
            reasons=final.reasons,
            samples_needed=final.samples_needed,
            equal_to=tuple(
                other.outcome.number
                for other in all_of_them
                if other is not final and self._trials.comparison.same(ours, self._as_compared(other))
            ),
            commands=final.commands,
            inputs=final.inputs,
        )


def knee_of(points: Sequence[FrontierPoint]) -> int | None:
    """The point that is farthest on the good side of the line between the ends of the frontier, in drop and
    latency (where that was not measured, size), each from 0 to 1; None where fewer than three or all are on
    one line."""
    costs = [point.p50_ms if point.p50_ms is not None else float(point.size_bytes) for point in points]
    drops = [point.drop_pp for point in points]
    if len(points) < 3 or max(costs) == min(costs) or max(drops) == min(drops):
        return None
    across = [(cost - min(costs)) / (max(costs) - min(costs)) for cost in costs]
    up = [(drop - min(drops)) / (max(drops) - min(drops)) for drop in drops]
    first, last = (
        min(range(len(points)), key=lambda k: (across[k], up[k])),
        min(range(len(points)), key=lambda k: (up[k], across[k])),
    )
    gains = [
        (up[first] - up[k]) * (across[last] - across[first])
        - (across[k] - across[first]) * (up[first] - up[last])
        for k in range(len(points))
    ]
    best = max(range(len(points)), key=lambda k: gains[k])
    return best if gains[best] > 0 else None


def _by_latency(final: Final) -> tuple[float, int, int]:
    latency = 0.0 if final.latency is None else final.latency.p50_ms
    return latency, final.artifact.size_bytes, final.outcome.number
