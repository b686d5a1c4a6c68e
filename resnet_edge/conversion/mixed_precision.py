"""Runs in the parent. What to do when plain int8 misses the budget: leave some layers in float.

The calibration images tell in which order layers are worth it
(conversion/mixed_precision_choices.py), and the proof itself tells how many are needed: a search by halves,
since more layers in float are hardly ever worse. Every candidate is made, run and judged as any artifact is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.conversion.artifact_task import QuantizeGraph, WriteArtifact
from resnet_edge.conversion.mixed_precision_task import ChooseFloatLayers, FloatChoice
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.mixed_precision import GRAVITY, FloatCandidate, MixedPrecision, gravest
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.runtime_floor import RuntimeFloor
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.evaluation.verdict import Comparator, Judgement
from resnet_edge.workers.pool import Worker
from resnet_edge.workers.progress import OnProgress, Progress

MOST_CHOICES = 63
"""What a search by halves settles with six candidates."""


@dataclass(frozen=True, kw_only=True)
class MixedPrecisionSetup:
    """What candidates are made of and with: from `calibrated`, judged on `images`, by `maker`, to run on
    `runtimes`."""

    facts: ModelFacts
    io: Io
    calibrated: Calibration
    calibration: Images
    images: Images
    maker: Worker
    scheduler: Scheduler
    judge: Comparator
    workspace: Workspace
    on_progress: OnProgress
    integer_scores: bool
    runtimes: tuple[RuntimeFloor, ...] = ()
    dense_scales: DenseScales = "per-tensor"


@dataclass(frozen=True)
class MixedPrecisionResult:
    """What was tried, and the proofs of the artifacts that are now in the workspace."""

    mixed_precision: MixedPrecision
    judged: tuple[Judgement, ...]

    def in_place(self, all_judged: Sequence[Judgement]) -> list[Judgement]:
        """All that was judged, these in place of the plain ones."""
        ours = {(judgement.proof.job, judgement.proof.target): judgement for judgement in self.judged}
        return [
            ours.get((judgement.proof.job, judgement.proof.target), judgement) for judgement in all_judged
        ]


def missed(plain: Sequence[Judgement]) -> bool:
    """Whether artifacts are sound and yet fail: by their accuracy, or by their SQNR. Where an output
    was NaN or always the same, no layer in float would fix it."""
    measured = all(judgement.parity.sqnr_db is not None for judgement in plain)
    return measured and any(judgement.parity.verdict == "fail" for judgement in plain)


def mix_precision(plain: Sequence[Judgement], setup: MixedPrecisionSetup) -> MixedPrecisionResult:
    """Find the fewest layers in float with which the artifacts of one scheme pass; where none do,
    the best that was found. Raises OutputError, and ResnetEdgeError where nothing could be tried."""
    scheme = plain[0].proof.job.scheme
    choices = _choices(scheme, setup)
    first = _Tried(0, choices[0], tuple(plain))
    tried = {0: first}
    search = _Search(plain, choices, setup, tried)
    passing = first_that_passes(len(choices), search.passes)
    order = sorted(tried)
    best = tried[passing] if passing is not None else max(tried.values(), key=_merit)
    if best is not first:
        best = _kept(best, setup.workspace)
        tried[best.number] = best
    plan = MixedPrecision(
        scheme, tuple(_candidate(tried[number]) for number in order), order.index(best.number)
    )
    return MixedPrecisionResult(plan, best.judged)


def first_that_passes(count: int, passes: Callable[[int], bool]) -> int | None:
    """The first of the numbers 1 to `count` - 1 that passes, if all after one that passes do too."""
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high if high < count else None


@dataclass(frozen=True)
class _Tried:
    number: int
    choice: FloatChoice
    judged: tuple[Judgement, ...]


class _Search:
    """Makes and judges candidates by the number of their choice, into `tried`."""

    def __init__(
        self,
        plain: Sequence[Judgement],
        choices: Sequence[FloatChoice],
        setup: MixedPrecisionSetup,
        tried: dict[int, _Tried],
    ) -> None:
        self._jobs = {judgement.proof.job: None for judgement in plain}
        self._choices, self._setup, self._tried = choices, setup, tried

    def passes(self, number: int) -> bool:
        """Whether every artifact passes everywhere. One that cannot be made or run does not."""
        choice = self._choices[number]
        layers = len(choice.float_layers)
        try:
            self._tried[number] = _Tried(number, choice, self._judged(number, choice))
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self._say(f"with {layers} layers in float: {error}")
            return False
        verdict = gravest(judgement.parity.verdict for judgement in self._tried[number].judged)
        self._say(f"with {layers} layers in float, {100 * choice.int8_macs:.0f} % of MACs in int8: {verdict}")
        return verdict == "pass"

    def _say(self, text: str) -> None:
        self._setup.on_progress(Progress(step="plan", note=f"plan: {text}", line=True))

    def _judged(self, number: int, choice: FloatChoice) -> tuple[Judgement, ...]:
        setup, folder = self._setup, self._setup.workspace.scratch_folder(f"plan-{number}")
        portable = ""
        proofs = []
        for job in self._jobs:
            portable = portable or self._portable(job, choice, folder)
            name = f"{setup.facts.name}.{job.scheme}{job.suffix}"
            request = WriteArtifact(
                portable=portable,
                format=job.format,
                scheme=job.scheme,
                name=setup.facts.name,
                out=str(folder / name),
                float_layers=choice.float_layers,
                runtimes=setup.runtimes,
                channels_first=job.channels_first,
            )
            artifact = setup.maker.run(request)
            for target in job.targets:
                proofs.append(setup.scheduler.start(artifact, job, target, setup.images, folder))
        return tuple(setup.judge.judged(proof) for proof in proofs)

    def _portable(self, job: Job, choice: FloatChoice, folder: Path) -> str:
        setup = self._setup
        request = QuantizeGraph(
            float_portable=setup.calibrated.portable,
            scheme=job.scheme,
            ranges=setup.calibrated.ranges,
            output=setup.facts.output,
            io=setup.io,
            out=str(folder / "portable.tflite"),
            float_layers=choice.float_layers,
            exact=setup.calibrated.exact,
            integer_scores=setup.integer_scores,
            dense_scales=setup.dense_scales,
        )
        return setup.maker.run(request).path


def _choices(scheme: str, setup: MixedPrecisionSetup) -> Sequence[FloatChoice]:
    request = ChooseFloatLayers.of(
        setup.calibrated,
        setup.calibration.images,
        scheme,
        setup.facts.head,
        str(setup.workspace.scratch_folder("plan")),
        setup.io,
        setup.dense_scales,
    )
    return thinned(setup.maker.run(request).choices, MOST_CHOICES)


def thinned(choices: Sequence[FloatChoice], most: int) -> Sequence[FloatChoice]:
    """At most `most` of the choices, evenly spread, with the first and the last."""
    if len(choices) <= most:
        return choices
    return [choices[round(n * (len(choices) - 1) / (most - 1))] for n in range(most)]


def _merit(tried: _Tried) -> tuple[float, ...]:
    """The higher, the better: the verdict, the most that it may cost, the SQNR."""
    candidate = _candidate(tried)
    sqnr = -float("inf") if candidate.sqnr_db is None else candidate.sqnr_db
    return -GRAVITY.index(candidate.verdict), -max(map(_cost, candidate.parity)), sqnr


def _cost(row: Parity) -> float:
    if row.drop_ci95_pp is not None:
        return row.drop_ci95_pp[1]
    return 100.0 if row.agreement is None else 100 * (1 - row.agreement)


def _kept(best: _Tried, workspace: Workspace) -> _Tried:
    """The candidate with its artifacts among those that the user gets, in place of the plain ones."""
    adopted: dict[str, Artifact] = {}
    judged = []
    for judgement in best.judged:
        proved = judgement.proof.artifact
        if proved.path not in adopted:
            adopted[proved.path] = replace(proved, path=str(workspace.adopt(Path(proved.path))))
        judged.append(replace(judgement, proof=replace(judgement.proof, artifact=adopted[proved.path])))
    return replace(best, judged=tuple(judged))


def _candidate(tried: _Tried) -> FloatCandidate:
    artifacts = {judgement.proof.artifact.path: judgement.proof.artifact for judgement in tried.judged}
    return FloatCandidate(
        float_layers=tried.choice.float_layers,
        int8_macs=tried.choice.int8_macs,
        expected_sqnr_db=tried.choice.expected_sqnr_db,
        artifacts=tuple(artifacts.values()),
        parity=tuple(judgement.parity for judgement in tried.judged),
    )
