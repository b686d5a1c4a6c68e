"""Runs in the parent. Trials until they are enough: one after the other, or as many at once as a cluster has
machines. Other processes may share the study."""

from __future__ import annotations

import random
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from resnet_edge import __version__
from resnet_edge.core.errors import ClusterUnavailable, HostUnavailable, OutputError, ResnetEdgeError
from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.comparison import changes
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.space import everything, starting
from resnet_edge.searching.standing import Baseline, values_of, violations_of
from resnet_edge.searching.study_task import (
    AskTrial,
    OpenStudy,
    ReadOutcomes,
    ReportRung,
    StudyPlace,
    StudyStamp,
    TellTrial,
)
from resnet_edge.searching.trials import Rivals, Trials
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import Worker
from resnet_edge.workers.progress import Progress, silent

AGAIN = 3
"""How often in a row a sampler may ask for what was tried before; then another configuration is drawn."""
STEP = "trials"


class TrialLoop:
    """Asks the study for configurations, tries them, and tells it what came of them."""

    def __init__(self, trials: Trials, baseline: Baseline) -> None:
        self._trials, self._baseline = trials, baseline
        self._context, self._request = trials.context, trials.context.request
        self._place = StudyPlace(
            journal=str(Path(self._request.study).absolute()),
            seed=self._request.seed,
            owner=str(self._context.store.owner),
        )
        self._began = time.monotonic()
        self._study = self._study_worker()
        self._outcomes: dict[int, Outcome] = {}
        self._under_way: dict[int, Configuration] = {}
        self._first: list[Configuration] = []
        self._every, self._again = everything(self._request.space), 0
        self.notes: list[str] = []

    def run(self) -> list[Outcome]:
        """Of each configuration that was tried, by whichever process of the study. Raises UsageError and
        DataError where the study is none of this search, and what concerns all trials."""
        opened = self._study.run(OpenStudy(place=self._place, stamp=self._stamp()))
        if opened.ended:
            self._say(f"{self._request.study}: going on behind {opened.ended} trials")
        self._refresh()
        self._try_all()
        return self._distinct()

    def _study_worker(self) -> Worker:
        journal = Path(self._place.journal)
        try:
            journal.touch()
        except OSError as error:
            raise OutputError(
                f"--study {self._request.study} cannot be written ({error.strerror}): name another file"
            ) from error
        grant = Grant(writes=(str(journal),))
        return self._context.workers.worker("study", silent, grant)

    def _stamp(self) -> StudyStamp:
        request, context = self._request, self._context
        training = request.training
        return StudyStamp(
            resnet_edge=__version__,
            model_sha256=context.facts.sha256,
            data_sha256=context.images.sha256,
            training=training and replace(training, data="", sha256=""),
            training_sha256=training.sha256 if training else "",
            calibration=context.at(None).calibration.sha256,
            objectives=request.objectives,
            backend=request.backend,
            threads=request.threads,
            equal_within_pp=request.equal_within_pp,
            equal_within_latency=request.equal_within_latency,
            limits=request.limits.given(),
            space=request.space,
        )

    def _refresh(self) -> None:
        """What all processes of the study have learned so far."""
        ended = self._study.run(ReadOutcomes(place=self._place))
        self._outcomes = {one.number: one for one in ended.outcomes}

    def _distinct(self) -> list[Outcome]:
        """The first of each configuration: two processes may have begun the same one."""
        firsts: dict[Configuration, Outcome] = {}
        for one in self._outcomes.values():
            if one.repeats is None:
                firsts.setdefault(one.configuration, one)
        return [*firsts.values()]

    def _try_all(self) -> None:
        self._first = self._untried(starting(self._request.space))
        self._progress()
        while (why := self._why_over()) is None:
            if self._context.at_once == 1:
                self._one_by_one()
            else:
                self._side_by_side(self._context.at_once)
        self.notes += filter(None, [why])
        count = max(len(self._distinct()), 1)
        self._context.on_progress(Progress(step=STEP, done=count, total=count))

    def _side_by_side(self, count: int) -> None:
        """Until none is under way. Raises what concerns all trials, and ends them all."""
        turn = self._context.store.turn

        def one_by_one() -> None:
            with turn.slot():
                self._one_by_one()

        turn.expect(count)
        with turn.left(), ThreadPoolExecutor(count) as threads:
            try:
                ends = [threads.submit(one_by_one) for _ in range(count)]
                for end in wait(ends, return_when=FIRST_EXCEPTION).done:
                    end.result()
            except BaseException:  # an interrupt, too: the threads end with their workers
                turn.end()
                self._context.workers.close()
                raise

    def _one_by_one(self) -> None:
        while self._why_over() is None:
            wanted = self._first.pop(0) if self._first else None
            if wanted is None and self._again >= AGAIN and self._every is not None:
                number = len(self._distinct()) + len(self._under_way)
                wanted = random.Random(self._request.seed + number).choice(
                    sorted(self._untried([*self._every]), key=repr)
                )
            self._again = self._again + 1 if self._one(wanted) else 0
            self._refresh()
            self._progress()

    def _progress(self) -> None:
        count, total = len(self._distinct()), self._request.trials
        if count < total:
            self._context.on_progress(Progress(step=STEP, done=count, total=total))

    def _why_over(self) -> str | None:
        """A note on why no trial is begun any more, empty where they are enough; None where one is."""
        count = len({*self._under_way.values(), *(one.configuration for one in self._distinct())})
        if count >= self._request.trials or self._context.store.turn.over:
            return ""
        if self._every is not None and not self._untried([*self._every]):
            return f"every configuration of the space was tried: {len(self._every)}"
        if self._is_over():
            return (
                f"--budget ended the trials after {count} of {self._request.trials}: the same command "
                "goes on with them"
            )
        return None

    def _is_over(self) -> bool:
        budget = self._request.budget_seconds
        return budget is not None and time.monotonic() - self._began >= budget

    def _untried(self, wanted: list[Configuration]) -> list[Configuration]:
        known = {*self._under_way.values(), *(one.configuration for one in self._outcomes.values())}
        return [one for one in wanted if one not in known]

    def _one(self, wanted: Configuration | None) -> bool:
        """One trial; whether it was of what was tried before."""
        trial = self._study.run(AskTrial(place=self._place, space=self._request.space, first=wanted))
        configuration = trial.configuration
        same = next(
            (one for one in self._distinct() if one.configuration == configuration and one.state != "failed"),
            None,
        )
        if same is not None:
            outcome = replace(same, number=trial.number, repeats=same.number, seconds=0.0)
        else:
            outcome = self._tried(trial.number, configuration)
            if self._context.store.turn.over:  # whatever came of it
                return False
        self._study.run(
            TellTrial(
                place=self._place,
                outcome=outcome,
                values=values_of(outcome, self._baseline, self._request.objectives),
                violations=violations_of(outcome, self._request.limits, self._baseline),
            )
        )
        if same is None:  # said once it is kept
            self._say(self._line(outcome))
        return same is not None

    def _tried(self, number: int, configuration: Configuration) -> Outcome:
        def keeps(trial: int, rung: int, against: int) -> bool:
            task = ReportRung(place=self._place, number=trial, rung=rung, against=against)
            return self._study.run(task)

        rivals = Rivals(keeps=keeps, outcomes=lambda: [*self._outcomes.values()])
        self._under_way[number] = configuration
        try:
            return self._trials.run(number, configuration, self._baseline, rivals)
        except (OutputError, HostUnavailable, ClusterUnavailable):
            raise
        except ResnetEdgeError as error:
            return Outcome(number=number, configuration=configuration, state="failed", reason=str(error))
        finally:
            del self._under_way[number]

    def _line(self, outcome: Outcome) -> str:
        what = f"trial {outcome.number}: {outcome.configuration.words}"
        if outcome.state != "complete":
            return f"{what}: {outcome.state}: {outcome.reason}"
        lost, gained = changes(self._baseline.bits, outcome.bits, outcome.n)
        parts = [f"drop {100 * (lost - gained) / outcome.n:+.2f} pp"]
        if outcome.latency_ratio is not None:
            parts.append(f"{outcome.latency_ratio:.2f}x the latency")
        return f"{what}: {', '.join(parts)}, {outcome.size_bytes:,} bytes"

    def _say(self, text: str) -> None:
        self._context.on_progress(Progress(step=STEP, note=text, line=True))
