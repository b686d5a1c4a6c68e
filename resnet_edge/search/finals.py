"""Runs in the parent. What stayed, as a user gets it: converted, proved, and measured side by side on images
that no trial saw."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.conversion.convert import convert
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.backend_name import on_host
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.proportion import drop_points, samples_needed, wilson
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Verdict
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.search import Configuration, FrontierPoint
from resnet_edge.core.sequential import quantile
from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.core.tolerances import MAX_DROP_PP
from resnet_edge.models import ModelRequest
from resnet_edge.report import write_reports
from resnet_edge.search.comparison import Comparison, Point, changes, frontier
from resnet_edge.search.outcome import Outcome
from resnet_edge.search.recipes import commands
from resnet_edge.search.trials import Baseline, Trials
from resnet_edge.workers.progress import Progress

POINTS, NETWORKS = "points", "networks"
SECONDS = 4.0
"""Of timing for each file in the run that times all of them; `convert` takes 8 for all of its own."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The model's own fp32 file and the points, in the order of their latency."""

    model: FrontierPoint
    points: tuple[FrontierPoint, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Final:
    """A candidate as it was converted; `bits` are of the images that no trial saw."""

    outcome: Outcome
    folder: str
    artifact: Artifact
    download_bytes: int
    verdict: Verdict
    bits: int
    latency: Latency | None = None


class Finals:
    """Converts and measures what `trials` left."""

    def __init__(self, trials: Trials, workspace: Workspace, baseline: Baseline) -> None:
        self._trials, self._workspace, self._baseline = trials, workspace, baseline
        self._context, self._notes = trials.context, list[str]()
        self._held_out = self._context.images.n - self._context.searched_on

    def points(self, stays: Sequence[Outcome]) -> Measured:
        """Raises OutputError; what fails its proof or cannot be made leaves, and a note says so."""
        finals = []
        for number, outcome in enumerate(stays, 1):
            self._context.on_progress(
                Progress(step="frontier", done=number - 1, total=len(stays), note=outcome.configuration.words)
            )
            if (final := self._final(number, outcome)) is not None:
                finals.append(final)
        self._context.on_progress(Progress(step="frontier", done=len(stays), total=len(stays)))
        model = self._model()
        timed = self._timed([model, *finals])
        model, finals = timed[0], timed[1:]
        kept = self._frontier(finals)
        for gone in (one for one in finals if one not in kept):
            shutil.rmtree(self._workspace.folder / gone.folder, ignore_errors=True)
            self._notes.append(
                f"trial {gone.outcome.number} ({gone.outcome.configuration.words}) left at the end: on the "
                f"{self._held_out:,} images that no trial saw another point is better and none worse"
            )
        return Measured(
            model=self._point(model, []),
            points=self._with_knee(tuple(self._point(one, kept) for one in _sorted(kept))),
            notes=tuple(self._notes),
        )

    def _final(self, number: int, outcome: Outcome) -> _Final | None:
        folder = Path(POINTS) / f"{number:02d}"
        try:
            report = self._converted(folder, outcome)
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self._gone(folder, outcome, str(error))
            return None
        row = report.parity[0] if report.parity else None
        if row is None or row.verdict == "fail":
            why = row.reasons[0] if row else next((f.message for f in report.failures), "it was not proved")
            self._gone(folder, outcome, why)
            return None
        artifact = replace(report.artifacts[0])
        artifact = replace(artifact, path=str(self._workspace.folder / folder / artifact.file))
        file = self._trials.file_of(outcome)
        same = replace(file, artifact=artifact) if file.artifact.sha256 != artifact.sha256 else file
        bits = int(self._trials.answers(same, self._context.images.n).right, 16)
        return _Final(
            outcome=outcome,
            folder=str(folder),
            artifact=artifact,
            download_bytes=file.download_bytes,
            verdict=row.verdict,
            bits=bits >> self._context.searched_on,
        )

    def _gone(self, folder: Path, outcome: Outcome, why: str) -> None:
        shutil.rmtree(self._workspace.folder / folder, ignore_errors=True)
        self._notes.append(f"trial {outcome.number} ({outcome.configuration.words}) left at the end: {why}")

    def _converted(self, folder: Path, outcome: Outcome) -> Report:
        """The folder of a point, as `convert` leaves it."""
        request, context = self._context.request, self._context
        model = self._network(folder, outcome)
        configuration = outcome.configuration
        job = context.jobs[configuration.scheme]
        wanted = ConvertRequest(
            model=model,
            data=request.data,
            calibration=request.calibration,
            plan=PlanArtifacts(
                formats=(job.format,),
                schemes=(configuration.scheme,),
                backends=(request.backend,),
                io="float32",
            ),
            max_drop_pp=MAX_DROP_PP,
            threads=request.threads,
            latency_seconds=SECONDS,
            calibrator=configuration.calibrator,  # type: ignore[arg-type]  # held where the space was read
            repair=configuration.repair,  # type: ignore[arg-type]  # the same
            mixed_precision=False,
            float_layers=configuration.float_layers,
            accept_reference=request.accept_reference,
            cluster=request.cluster,
            command=commands(configuration, request)[-1],
            source_name=model.source if outcome.configuration.pruning != "none" else request.source_name,
        )
        out = self._workspace.folder / folder
        out.parent.mkdir(exist_ok=True)
        with Workspace(out, writer="convert") as workspace:
            report = convert(wanted, workspace, self._context.on_progress)
            report = replace(report, inputs=self._inputs(folder, model))
            write_reports(report, workspace.folder)
            workspace.publish()
        return report

    def _network(self, folder: Path, outcome: Outcome) -> ModelRequest:
        """The model of a point: where it was changed a file of its own, with what was done to it beside."""
        configuration, request = outcome.configuration, self._context.request
        network = self._trials.networks.tuned(configuration)
        source = Path(network.model.source)
        if network.model.source == request.model.source:
            return request.model
        to = self._workspace.folder / NETWORKS / folder.name / f"{self._context.facts.name}.keras"
        try:
            to.parent.mkdir(parents=True)
            shutil.copyfile(source, to)
            if sidecar_path(source).is_file():
                shutil.copyfile(sidecar_path(source), sidecar_path(to))
        except OSError as error:
            raise OutputError(
                f"{to.name} cannot be written ({error.strerror}): choose another --out"
            ) from error
        return replace(network.model, source=str(to))

    def _inputs(self, folder: Path, model: ModelRequest) -> dict[str, str]:
        """Where its report finds them: from the folder's final place."""
        request, out = self._context.request, self._workspace.out / folder
        moved = model.source.replace(str(self._workspace.folder), str(self._workspace.out))
        words = {"model": moved, "data": request.data, "calibration": request.calibration}
        return {
            name: os.path.relpath(word, out) if Path(word).exists() or word is moved else word
            for name, word in words.items()
            if word is not None
        }

    def _model(self) -> _Final:
        """The model's own fp32 file, beside the points."""
        file, n = self._baseline.file, self._context.images.n
        bits = int(self._trials.answers(file, n).right, 16)
        return _Final(
            outcome=Outcome(number=-1, configuration=Configuration(), state="complete"),
            folder="",
            artifact=file.artifact,
            download_bytes=file.download_bytes,
            verdict="pass",
            bits=bits >> self._context.searched_on,
        )

    def _timed(self, finals: Sequence[_Final]) -> list[_Final]:
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
                )
                for number, one in enumerate(finals)
            ),
            images=context.noise,
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

    def _frontier(self, finals: Sequence[_Final]) -> list[_Final]:
        pairs = max(1, len(finals) * (len(finals) - 1) // 2)
        comparison = replace(self._trials.comparison, z=quantile(pairs))
        points = [self._as_compared(one) for one in finals]
        stays = {point.number for point in frontier(points, comparison)}
        self._say_undecided([one for one in points if one.number in stays], comparison)
        return [one for one in finals if one.outcome.number in stays]

    def _as_compared(self, final: _Final) -> Point:
        return Point(
            number=final.outcome.number,
            n=self._held_out,
            bits=final.bits,
            latency=None if final.latency is None else final.latency.p50_ci95_ms,
            size=final.artifact.size_bytes,
            download=final.download_bytes,
        )

    def _say_undecided(self, points: Sequence[Point], comparison: Comparison) -> None:
        """How many images would tell points apart."""
        for one, other in combinations(points, 2):
            if not (comparison.undecided(one, other) or comparison.undecided(other, one)):
                continue
            lost, gained = changes(one.bits, other.bits, self._held_out)
            needed = samples_needed(
                self._held_out, max(lost, gained), min(lost, gained), comparison.equal_pp / 100, comparison.z
            )
            more = "no number of images would" if needed is None else f"about {needed:,} images would"
            self._notes.append(
                f"{self._held_out:,} images do not tell trials {one.number} and {other.number} apart in "
                f"accuracy: {more}"
            )

    def _point(self, final: _Final, all_of_them: Sequence[_Final]) -> FrontierPoint:
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
            equal_to=tuple(
                other.outcome.number
                for other in all_of_them
                if other is not final and self._trials.comparison.same(ours, self._as_compared(other))
            ),
            commands=commands(outcome.configuration, self._context.request),
        )

    def _with_knee(self, points: tuple[FrontierPoint, ...]) -> tuple[FrontierPoint, ...]:
        knee = knee_of(points)
        return tuple(replace(point, knee=number == knee) for number, point in enumerate(points))


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


def _sorted(finals: Sequence[_Final]) -> list[_Final]:
    return sorted(
        finals,
        key=lambda one: (
            one.latency.p50_ms if one.latency is not None else 0.0,
            one.artifact.size_bytes,
            one.outcome.number,
        ),
    )
