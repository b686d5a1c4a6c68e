"""Runs in the parent. One trial: what costs least is looked at first, and only what nothing speaks against
beyond chance goes on to what costs more.

What a network costs, its size and its latency, does not depend on its weights: it is known before it is
fine-tuned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.compression.step_latency import TimePair
from resnet_edge.core.results.search import Configuration
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.data.images_task import Images, TakeFirstImages
from resnet_edge.searching.artifacts import Artifacts, SearchArtifact
from resnet_edge.searching.comparison import (
    PointComparison,
    first_that_beats,
    in_words,
)
from resnet_edge.searching.context import Context
from resnet_edge.searching.networks import Networks
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.right_task import CountRight, RightAnswers
from resnet_edge.searching.standing import Baseline, certainly_missed, point_of

COST = 0
"""The rung before the first image."""


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """What a trial is held against: `keeps` tells Optuna how many reasons speak against a trial after a rung,
    and whether it goes on; `outcomes` are those of trials that have ended."""

    keeps: Callable[[int, int, int], bool]
    outcomes: Callable[[], Sequence[Outcome]]


class _Left(Exception):
    """A trial ends here, for the reason that its outcome says."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Trials:
    """Trials of one search."""

    def __init__(self, context: Context, comparison: PointComparison) -> None:
        self.context, self.comparison = context, comparison
        self.networks, self.artifacts = Networks(context), Artifacts(context)

    def run(self, number: int, configuration: Configuration, baseline: Baseline, rivals: Rivals) -> Outcome:
        """What came of a trial. Raises what concerns all trials."""
        began = time.monotonic()
        outcome = Outcome(number=number, configuration=configuration, state="complete")
        try:
            outcome = self._climbed(outcome, baseline, rivals)
        except _Left as left:
            outcome = left.outcome
        return replace(outcome, seconds=round(time.monotonic() - began, 2))

    def _climbed(self, outcome: Outcome, baseline: Baseline, rivals: Rivals) -> Outcome:
        configuration = outcome.configuration
        cut = self.artifacts.of(self.networks.cut(configuration), self._untrained(configuration))
        outcome = self._with_cost(outcome, cut, baseline)
        self._check(outcome, COST, baseline, rivals)
        network = self.networks.tuned(configuration)
        file = self.artifacts.of(network, configuration)
        outcome = replace(
            outcome,
            size_bytes=file.artifact.size_bytes,
            download_bytes=file.download_bytes,
            network=self._below_store(network.model.source),
            artifact=self._below_store(file.artifact.path),
            sha256=file.artifact.sha256,
        )
        own = self.artifacts.float32(network)
        for rung, n in enumerate(self.context.rungs, COST + 1):
            answers = self.answers(file, n, own if rung == COST + 1 else None)
            outcome = self._with_answers(outcome, answers)
            self._check(outcome, rung, baseline, rivals)
        return outcome

    def file_of(self, outcome: Outcome) -> SearchArtifact:
        """The file of a trial, which is there."""
        return self.artifacts.of(self.networks.tuned(outcome.configuration), outcome.configuration)

    @staticmethod
    def _untrained(configuration: Configuration) -> Configuration:
        """The cheapest file that takes as much: no calibrator makes a file faster or smaller."""
        return replace(configuration, calibrator="minmax", repair="none", qat_epochs=0)

    def _below_store(self, path: str) -> str:
        folder = self.context.store.folder
        return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path

    def _with_cost(self, outcome: Outcome, file: SearchArtifact, baseline: Baseline) -> Outcome:
        facts = file.graph.facts
        timed = self.against(file, baseline.file) if self.context.request.times else None
        zeros = outcome.configuration.pruning == "magnitude"  # which pack well, and come with training
        return replace(
            outcome,
            size_bytes=file.artifact.size_bytes,
            download_bytes=None if zeros else file.download_bytes,
            macs=facts.macs,
            parameters=facts.parameters,
            latency_ratio=None if timed is None else timed.ratio,
            latency_ratio_ci95=None if timed is None else timed.ratio_ci95,
        )

    def against(self, file: SearchArtifact, base: SearchArtifact) -> StepLatency:
        """The latency of a file beside that of another; each pair is timed once. Nothing else of this search
        runs meanwhile."""
        request, target = self.context.request, self.context.target
        key = {
            "files": [base.artifact.sha256, file.artifact.sha256],
            "target": [target.backend, target.device, str(request.threads), str(request.latency_seconds)],
        }

        def measure(folder: Path) -> StepLatency:
            with self.context.store.quiet():
                return self.context.clock.run(
                    TimePair(
                        before=self._timed(base, "model"),
                        after=self._timed(file, "trial"),
                        images=self.context.at(None).noise,
                        threads=request.threads,
                        rounds=None,
                        budget_seconds=request.latency_seconds,
                        seed=request.seed,
                    )
                )

        return self.context.store.once("latency", key, StepLatency, measure)[1]

    def _timed(self, file: SearchArtifact, name: str) -> LatencyTarget:
        artifact, target = file.artifact, self.context.target
        return LatencyTarget(
            path=artifact.path,
            file=name,
            format=artifact.format,
            scheme=artifact.scheme,
            backend=target.runtime,
            device=target.device,
            images=self.context.at_shape(file.graph.facts.input_shape).noise,
        )

    def answers(self, file: SearchArtifact, n: int, own: SearchArtifact | None = None) -> RightAnswers:
        """On the first `n` images; with its SQNR beside `own`, the network that it is made of."""
        context, images = self.context, self._first(n, file)
        theirs = None if own is None or own.artifact.sha256 == file.artifact.sha256 else own
        return context.counter.run(
            CountRight(
                head=file.graph.facts.head,
                outputs=self._outputs(file, images),
                reference=context.reference,
                labels=context.images.labels,
                cuts=context.rungs,
                own=None if theirs is None else self._outputs(theirs, images),
            )
        )

    def reference_bits(self) -> int:
        """The images on which the Keras model is right, of all that there are; without labels, every one."""
        context = self.context
        task = CountRight(
            head=context.facts.head,
            outputs=context.reference,
            reference=context.reference,
            labels=context.images.labels,
            cuts=context.rungs,
        )
        return int(context.counter.run(task).right, 16)

    def _first(self, n: int, file: SearchArtifact) -> Images:
        """At the size that the file takes."""
        at = self.context.at_shape(file.graph.facts.input_shape)
        if n == at.images.n:
            return at.images
        return self.context.counter.run(TakeFirstImages(images=at.images, n=n, folder=at.folder))

    def _outputs(self, file: SearchArtifact, images: Images) -> str:
        """Of the file on the images; on those that it was run on before it is not run again."""
        context, artifact = self.context, file.artifact
        cuts = tuple(n for n in context.rungs if n < images.n)
        whole = context.at_shape(file.graph.facts.input_shape).images
        folder = context.store.folder / "outputs" / f"{artifact.sha256[:24]}-{whole.sha256[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        job = context.jobs[artifact.scheme]
        with context.store.alone("outputs", folder.name):
            evaluation = context.scheduler.start(artifact, job, context.target, images, folder, cuts=cuts)
            with context.store.turn.left(works_here=True):  # shards are cut here, and joined
                return evaluation.outputs.result().out

    def _with_answers(self, outcome: Outcome, answers: RightAnswers) -> Outcome:
        outcome = replace(
            outcome,
            n=answers.n,
            right=answers.right,
            sqnr_db=outcome.sqnr_db if answers.sqnr_db is None else answers.sqnr_db,
        )
        if answers.trouble:
            raise _Left(replace(outcome, state="failed", reason=answers.trouble))
        job = self.context.jobs[outcome.configuration.scheme]
        if answers.sqnr_db is not None and job.min_sqnr_db is not None and answers.sqnr_db < job.min_sqnr_db:
            reason = (
                f"its outputs are those of its own network to {answers.sqnr_db:.1f} dB alone, and "
                f"{job.scheme} needs {job.min_sqnr_db:g} dB: it would fail its proof"
            )
            raise _Left(replace(outcome, state="failed", reason=reason))
        return outcome

    def _check(self, outcome: Outcome, rung: int, baseline: Baseline, rivals: Rivals) -> None:
        """Ends a trial that Optuna's pruner does not let go on."""
        limits = self.context.request.limits
        missed = certainly_missed(outcome, limits, baseline, self.comparison.z)
        own = point_of(outcome)
        rival = None
        if rung > COST and not missed:
            others = [point_of(one) for one in rivals.outcomes() if one.state == "complete"]
            rival = first_that_beats(own, others, self.comparison)
        if rivals.keeps(outcome.number, rung, len(missed) + (rival is not None)):
            return
        if rival is None:
            raise _Left(replace(outcome, state="infeasible", reason="; ".join(missed)))
        better = in_words(rival, own, self.comparison)
        reason = f"trial {rival.number} is better in {better}, and no worse in anything, on {own.n:,} images"
        raise _Left(replace(outcome, state="worse", reason=reason))
