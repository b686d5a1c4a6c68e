"""Runs in the parent. A search: trials until they are enough, then the frontier, proved."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from resnet_edge import __version__
from resnet_edge.core.errors import (
    ClusterUnavailable,
    HostUnavailable,
    OutOfReach,
    OutputError,
    ResnetEdgeError,
)
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.search import Configuration, Screened, SearchResult
from resnet_edge.core.sequential import quantile
from resnet_edge.data.declared import check_data
from resnet_edge.evaluation.cluster import facts_of, joined
from resnet_edge.search.comparison import Comparison, changes, frontier
from resnet_edge.search.context import Context
from resnet_edge.search.finals import Finals
from resnet_edge.search.outcome import Outcome
from resnet_edge.search.request import SearchRequest
from resnet_edge.search.setup import prepared
from resnet_edge.search.space import CHOICES, everything, starting
from resnet_edge.search.store import Store, digest
from resnet_edge.search.study_task import (
    AskTrial,
    OpenStudy,
    ReadOutcomes,
    ReportRung,
    StudyPlace,
    StudyStamp,
    TellTrial,
)
from resnet_edge.search.trials import (
    Baseline,
    Rivals,
    Trials,
    certainly_missed,
    point_of,
    values_of,
    violations_of,
)
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import Worker, workers_and_threads
from resnet_edge.workers.progress import OnProgress, Progress, silent
from resnet_edge.workers.side_by_side import how_many

AGAIN = 3
"""How often in a row a sampler may ask for what was tried before; then another configuration is drawn."""
STEP = "trials"


def search(request: SearchRequest, workspace: Workspace, on_progress: OnProgress) -> SearchResult:
    """Search, and write the folder of each point of the frontier below `workspace.folder`.

    A trial that fails is a failed trial. Raises OutOfReach where nothing meets the limits, and what concerns
    all trials: the model, the data, the backend, the study.
    """
    shapes = check_data(request.data, request.calibration)
    request = replace(request, model=replace(request.model, data_shape=shapes.get(request.data)))
    store = Store(Path(f"{request.study}.files").absolute())
    env = {"TMPDIR": str(workspace.scratch), "OPENBLAS_NUM_THREADS": "1"}
    grant = Grant(writes=(str(workspace.folder), str(workspace.scratch)))
    with ExitStack() as stack:
        stack.enter_context(store)
        cluster = stack.enter_context(joined(request.cluster, workspace.logs, on_progress))
        workers, pool = stack.enter_context(
            workers_and_threads(workspace.logs, 2 + how_many(), env, workspace.check_space, grant)
        )
        context = stack.enter_context(
            prepared(request, workspace, store, workers, pool, cluster, on_progress)
        )
        run = _Run(context, workspace)
        return replace(run.run(), machine={**machine(), "command": request.command, **facts_of(cluster)})


class _Run:
    """One search, by this process; others may share its study."""

    def __init__(self, context: Context, workspace: Workspace) -> None:
        self.context, self.request, self.workspace = context, context.request, workspace
        self.began = time.monotonic()
        # At the last rung, too, each may be held against each: all of a search hold together.
        looks = max(1, len(context.rungs) * self.request.trials)
        self.comparison = Comparison(
            objectives=self.request.objectives,
            equal_pp=self.request.equal_within_pp,
            equal_latency=self.request.equal_within_latency,
            z=quantile(looks),
        )
        self.trials = Trials(context, self.comparison)
        self.place = StudyPlace(
            journal=str(Path(self.request.study).absolute()),
            seed=self.request.seed,
            owner=str(context.store.owner),
        )
        self.study = self._study_worker()
        self.outcomes: dict[int, Outcome] = {}
        self.notes: list[str] = []

    def run(self) -> SearchResult:
        opened = self.study.run(OpenStudy(place=self.place, stamp=self._stamp()))
        if opened.ended:
            self._say(f"{self.request.study}: going on behind {opened.ended} trials")
        baseline = self._baseline()
        self._refresh()
        self._try_all(baseline)
        stays = self._chosen(baseline)
        finals = Finals(self.trials, self.workspace, baseline).points(stays)
        distinct = self._distinct()
        return SearchResult(
            resnet_edge=__version__,
            versions=versions(),
            machine={},
            model=replace(self.context.facts, source=self.request.source_name or self.context.facts.source),
            data={
                "source": self.context.images.source,
                "n": self.context.images.n,
                "sha256": self.context.images.sha256,
                "labelled": self.context.images.labels is not None,
            },
            searched_on=self.context.searched_on,
            held_out=self.context.images.n - self.context.searched_on,
            objectives=self.request.objectives,
            backend=self.request.backend,
            limits=self.request.limits.given(),
            space={name: self.request.space.values(name) for name in CHOICES},
            candidates=len(distinct),
            model_point=finals.model,
            points=finals.points,
            trials=tuple(self._screened(one, baseline) for one in distinct),
            study=self.request.study,
            seed=self.request.seed,
            equal_within_pp=self.request.equal_within_pp,
            notes=(*self.notes, *finals.notes),
            costs=self.context.workers.costs(),
        )

    def _study_worker(self) -> Worker:
        journal = Path(self.place.journal)
        try:
            journal.touch()
        except OSError as error:
            raise OutputError(
                f"--study {self.request.study} cannot be written ({error.strerror}): name another file"
            ) from error
        # Its lock is a file beside it.
        grant = Grant(writes=(str(journal.parent), str(self.context.store.folder)))
        return self.context.workers.worker("study", silent, grant)

    def _stamp(self) -> StudyStamp:
        request, context = self.request, self.context
        training = request.training
        return StudyStamp(
            resnet_edge=__version__,
            model_sha256=context.facts.sha256,
            data_sha256=context.images.sha256,
            training="none" if training is None else digest(training),
            calibration=context.calibration.sha256,
            objectives=request.objectives,
            backend=request.backend,
            limits=digest(request.limits),
            space=request.space,
        )

    def _baseline(self) -> Baseline:
        """The model's own fp32 file."""
        file = self.trials.artifacts.float32(self.trials.networks.original())
        timed = self.trials.against(file, file)
        return Baseline(file=file, p50_ms=timed.before_ms, bits=self.trials.reference_bits())

    def _refresh(self) -> None:
        """What all processes of the study have learned so far."""
        self.outcomes = {one.number: one for one in self.study.run(ReadOutcomes(place=self.place))}

    def _distinct(self) -> list[Outcome]:
        return [one for one in self.outcomes.values() if one.repeats is None]

    def _try_all(self, baseline: Baseline) -> None:
        first = self._untried(starting(self.request.space))
        every, again = everything(self.request.space), 0
        while (count := len(self._distinct())) < self.request.trials:
            self.context.on_progress(Progress(step=STEP, done=count, total=self.request.trials))
            if every is not None and not self._untried([*every]):
                self.notes.append(f"all {len(every)} configurations of the space were tried")
                break
            if self._is_over():
                self.notes.append(
                    f"--budget ended the trials after {count} of {self.request.trials}: the same command "
                    "goes on with them"
                )
                break
            wanted = first.pop(0) if first else None
            if wanted is None and again >= AGAIN and every is not None:
                wanted = random.Random(self.request.seed + count).choice(
                    sorted(self._untried([*every]), key=repr)
                )
            again = again + 1 if self._one(wanted, baseline) else 0
            self._refresh()
        count = max(len(self._distinct()), 1)
        self.context.on_progress(Progress(step=STEP, done=count, total=count))

    def _is_over(self) -> bool:
        budget = self.request.budget_seconds
        return budget is not None and time.monotonic() - self.began >= budget

    def _untried(self, wanted: list[Configuration]) -> list[Configuration]:
        known = {one.configuration for one in self.outcomes.values()}
        return [one for one in wanted if one not in known]

    def _one(self, wanted: Configuration | None, baseline: Baseline) -> bool:
        """One trial; whether it was of what was tried before."""
        asked = self.study.run(AskTrial(place=self.place, space=self.request.space, first=wanted))
        configuration = asked.configuration
        same = next(
            (one for one in self._distinct() if one.configuration == configuration and one.state != "failed"),
            None,
        )
        if same is not None:
            outcome = replace(same, number=asked.number, repeats=same.number, seconds=0.0)
        else:
            outcome = self._tried(asked.number, configuration, baseline)
            self._say(self._line(outcome, baseline))
        self.study.run(
            TellTrial(
                place=self.place,
                outcome=outcome,
                values=values_of(outcome, baseline, self.request.objectives),
                violations=violations_of(outcome, self.request.limits, baseline),
            )
        )
        return same is not None

    def _tried(self, number: int, configuration: Configuration, baseline: Baseline) -> Outcome:
        def keeps(trial: int, rung: int, against: int) -> bool:
            task = ReportRung(place=self.place, number=trial, rung=rung, against=against)
            return self.study.run(task)

        rivals = Rivals(keeps=keeps, outcomes=lambda: [*self.outcomes.values()])
        try:
            return self.trials.run(number, configuration, baseline, rivals)
        except (OutputError, HostUnavailable, ClusterUnavailable):
            raise
        except ResnetEdgeError as error:
            return Outcome(number=number, configuration=configuration, state="failed", reason=str(error))

    def _line(self, outcome: Outcome, baseline: Baseline) -> str:
        what = f"trial {outcome.number}: {outcome.configuration.words}"
        if outcome.state != "complete":
            return f"{what}: {outcome.state}: {outcome.reason}"
        lost, gained = changes(baseline.bits, outcome.bits, outcome.n)
        parts = [f"drop {100 * (lost - gained) / outcome.n:+.2f} pp"]
        if outcome.latency_ratio is not None:
            parts.append(f"{outcome.latency_ratio:.2f}x the latency")
        return f"{what}: {', '.join(parts)}, {outcome.size_bytes:,} bytes"

    def _chosen(self, baseline: Baseline) -> list[Outcome]:
        """Of what was looked at on all images, what meets the limits as far as it is known and none beats."""
        done = [one for one in self._distinct() if one.state == "complete"]
        limits = self.request.limits
        fit = [one for one in done if not certainly_missed(one, limits, baseline, self.comparison.z)]
        if not fit:
            raise OutOfReach(self._nearest(baseline))
        stays = {point.number for point in frontier([*map(point_of, fit)], self.comparison)}
        return [one for one in fit if one.number in stays]

    def _nearest(self, baseline: Baseline) -> str:
        limits = self.request.limits
        known = [one for one in self._distinct() if one.size_bytes is not None]
        if not known:
            failed = next(iter(self._distinct()), None)
            why = "" if failed is None else f"; trial {failed.number}: {failed.reason}"
            return f"none of {len(self._distinct())} trials could be measured{why}"
        nearest = min(known, key=lambda one: self._distance(one, baseline))
        missed = certainly_missed(nearest, limits, baseline) or [nearest.reason]
        return (
            f"none of {len(self._distinct())} trials meets the limits; the nearest is trial {nearest.number} "
            f"({nearest.configuration.words}): {'; '.join(missed)}; raise a limit, or search longer or wider"
        )

    def _distance(self, outcome: Outcome, baseline: Baseline) -> float:
        """By how much it misses all limits together, each as a share of it."""
        limits = self.request.limits.given()
        violations = violations_of(outcome, self.request.limits, baseline)
        return sum(max(0.0, violations[name]) / (limit or 1) for name, limit in limits.items())

    def _screened(self, outcome: Outcome, baseline: Baseline) -> Screened:
        drop = None
        if outcome.n:
            drop = drop_points(outcome.n, *changes(baseline.bits, outcome.bits, outcome.n))
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

    def _say(self, text: str) -> None:
        self.context.on_progress(Progress(step=STEP, note=text, line=True))
