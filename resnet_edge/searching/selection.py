"""Runs in the parent. Of all that was tried, what a search may show, and why the rest may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resnet_edge.core.errors import OutOfReach
from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.search import Screened
from resnet_edge.searching.comparison import PointComparison, changes, frontier
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import SearchLimits
from resnet_edge.searching.standing import Baseline, certainly_missed, point_of, violations_of


@dataclass(frozen=True)
class Selecting:
    """By the limits of the user, and by intervals."""

    limits: SearchLimits
    comparison: PointComparison
    baseline: Baseline

    def chosen(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Of what was looked at on all images, what meets the limits as far as it is known and none beats.
        Raises OutOfReach where there is none."""
        done = _each_file_once(one for one in outcomes if one.state == "complete")
        fit = [one for one in done if not self._missed(one)]
        if not fit:
            raise OutOfReach(self._nearest(outcomes))
        stays = {point.number for point in frontier([*map(point_of, fit)], self.comparison)}
        return [one for one in fit if one.number in stays]

    def _missed(self, outcome: Outcome) -> list[str]:
        return certainly_missed(outcome, self.limits, self.baseline, self.comparison.z)

    def _nearest(self, outcomes: Sequence[Outcome]) -> str:
        if not outcomes:
            return "--budget was over before the first trial began: give more time"
        known = [one for one in outcomes if one.size_bytes is not None]
        if not known:
            failed = next(iter(outcomes), None)
            why = "" if failed is None else f"; trial {failed.number}: {failed.reason}"
            return f"none of {len(outcomes)} trials could be measured{why}"
        nearest = min(known, key=self._distance)
        missed = self._missed(nearest) or [nearest.reason]
        return (
            f"none of {len(outcomes)} trials meets the limits; the nearest is trial {nearest.number} "
            f"({nearest.configuration.words}): {'; '.join(missed)}; raise a limit, or search longer or wider"
        )

    def _distance(self, outcome: Outcome) -> float:
        """By how much it misses all limits together, each as a share of it."""
        limits = self.limits.given()
        violations = violations_of(outcome, self.limits, self.baseline)
        return sum(max(0.0, violations[name]) / (limit or 1) for name, limit in limits.items())

    def screened(self, outcome: Outcome) -> Screened:
        """For the report."""
        drop = None
        if outcome.n:
            drop = drop_points(outcome.n, *changes(self.baseline.bits, outcome.bits, outcome.n))
        return Screened(
            number=outcome.number,
            configuration=outcome.configuration,
            state=outcome.state,
            reason=outcome.reason,
            n=outcome.n,
            drop_pp=None if drop is None else drop.value,
            drop_ci95_pp=None if drop is None else (drop.low, drop.high),
            latency_ratio=outcome.latency_ratio,
            latency_ratio_ci95=outcome.latency_ratio_ci95,
            size_bytes=outcome.size_bytes,
            download_bytes=outcome.download_bytes,
            sqnr_db=outcome.sqnr_db,
            macs=outcome.macs,
            seconds=outcome.seconds,
        )


def _each_file_once(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Of configurations that make the same file the one with the fewest words; the earlier of equals."""
    files: dict[str, Outcome] = {}
    for one in outcomes:
        known = files.setdefault(one.sha256, one)
        if len(one.configuration.words) < len(known.configuration.words):
            files[one.sha256] = one
    return [*files.values()]
