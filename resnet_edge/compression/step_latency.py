"""Runs in the parent. How much faster a model became: the same artifact of two models, timed in turns.

    base, candidate ─► portable graph ─► ranges ─► quantized ─► artifact ─► timed in one process

The base is made once, however many candidates are timed against it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.conversion.one_artifact import FloatGraph, calibrated, written
from resnet_edge.conversion.plan_task import Plan
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import DataError, OutputError, UsageError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.evaluation.job import Job
from resnet_edge.evaluation.source_task import ExportModel, ReadModelFacts
from resnet_edge.models import ModelRequest, grant_of
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class TimedAs:
    """The artifact that is timed, where, and for how long.

    The format is the one that `backend` opens. Two artifacts take turns for `seconds` after
    their warm-up, or for so many `rounds`.
    """

    backend: str = "litert"
    device: str = "cpu"
    scheme: str = "int8"
    threads: int = 1
    seconds: float = 4.0
    rounds: int | None = None


@dataclass(frozen=True, kw_only=True)
class SettleTiming(Task[Plan], runs="resnet_edge.compression.pair_latency:settle"):
    """What is made and timed, from names as the user gave them."""

    how: TimedAs


@dataclass(frozen=True, kw_only=True)
class TimePair(
    Task[StepLatency],
    runs="resnet_edge.compression.pair_latency:measure",
    reads=(
        "before.path",
        "before.images",
        "after.path",
        "after.images",
        "images",
    ),
):
    """compression.pair_latency: time two artifacts in turns; `images` as in MeasureLatency."""

    before: LatencyTarget
    after: LatencyTarget
    images: str
    threads: int
    rounds: int | None
    budget_seconds: float
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class WriteNoise(Task[WrittenFile], runs="resnet_edge.compression.pair_latency:noise", writes=("out",)):
    """compression.pair_latency: images of `shape` (H, W, C), raw pixels or what a model itself takes,
    as .npy to `out`."""

    shape: tuple[int, int, int]
    pixels: bool
    out: str


@dataclass(frozen=True)
class _TimedModel:
    """A model as the artifact that is timed."""

    facts: ModelFacts
    artifact: Artifact


class Race:
    """Times models against a base. A context manager: leaving it ends its processes.

    `folder` is an existing folder for scratch files. Images are seeded noise: they set the int8
    ranges and are what is timed, and decide what the numbers are but not how long they take.
    Raises UsageError where `how` asks for more threads than there are.
    """

    def __init__(
        self, workers: WorkerPool, folder: Path, base: ModelRequest, how: TimedAs, on_progress: OnProgress
    ) -> None:
        if not 1 <= how.threads <= usable_cores():
            raise UsageError(f"{how.threads} threads: this process may use {usable_cores()} cores")
        self.how = how
        self._folder, self._base_request = folder, base
        clock_grant = backends_grant([how.backend])
        self._source = workers.worker("race source", on_progress, grant_of(base))
        self._maker = workers.worker("race artifacts", on_progress, clock_grant)
        self._clock = workers.worker("race latency", on_progress, clock_grant)
        self._job: Job | None = None
        self._images: str | None = None
        self._base: _TimedModel | None = None

    def against(self, file: str) -> StepLatency:
        """The latency of the model in `file`, opened as the base was, compared with that of the base.

        It is made, timed and thrown away; the base is made once. Raises what opening,
        converting, quantizing and running a model raise, among them UnknownName,
        UnsupportedScheme and DeviceUnavailable for a place that cannot be had; DataError where
        the two models do not take and give the same.
        """
        base = self._base_model()
        with self._thrown_away(file, base.facts) as candidate:
            request = TimePair(
                before=self._target(base, "before"),
                after=self._target(candidate, "after"),
                images=self._noise(base.facts),
                threads=self.how.threads,
                rounds=self.how.rounds,
                budget_seconds=self.how.seconds,
            )
            return self._clock.run(request)

    def close(self) -> None:
        """End the processes, so that their memory is free for others."""
        for worker in (self._source, self._maker, self._clock):
            worker.close()

    def __enter__(self) -> Race:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _settled(self) -> Job:
        """What to make; refused at once where it cannot be made or run here."""
        if self._job is None:
            plan = self._clock.run(SettleTiming(how=self.how))
            self._job = plan.jobs[0]
        return self._job

    def _base_model(self) -> _TimedModel:
        if self._base is None:
            self._settled()  # first, so that what cannot be timed at all costs no time
            facts = self._facts(self._base_request)
            self._base = self._build(self._base_request, facts, self._new_folder("base"))
        return self._base

    @contextmanager
    def _thrown_away(self, file: str, base: ModelFacts) -> Iterator[_TimedModel]:
        folder = self._new_folder("candidate")
        try:
            # A copy, under a name of its own: the source worker keeps the last model open by its
            # name, and whoever searches may write one candidate over the other.
            source = _copied(file, folder)
            # A file does not say what `app:ResNet50` knows of its pixels.
            pixels = self._base_request.preprocess or base.preprocessing.name
            request = replace(self._base_request, source=source, preprocess=pixels)
            facts = self._facts(request)
            _check_same(base, facts, file)
            yield self._build(request, facts, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _new_folder(self, name: str) -> Path:
        try:
            return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
        except OSError as error:
            raise OutputError(
                f"{self._folder} takes no new folder ({error.strerror}): name another with TMPDIR"
            ) from error

    def _facts(self, model: ModelRequest) -> ModelFacts:
        return self._source.run(ReadModelFacts(model=model))

    def _build(self, model: ModelRequest, facts: ModelFacts, folder: Path) -> _TimedModel:
        job = self._settled()
        portable = str(folder / "float.tflite")
        self._source.run(ExportModel(model=model, out=portable, dynamic_batch=False))
        graph = FloatGraph(facts=facts, portable=portable)
        ranges = self._calibrated(graph, folder / "calibrated") if job.needs_calibration else None
        return _TimedModel(facts, written(graph, job, ranges, folder, self._maker, name="timed"))

    def _calibrated(self, graph: FloatGraph, folder: Path) -> Calibration:
        """Plain minima and maxima of the graph as it is: other calibrators and repairs make better
        numbers, and none makes faster ones."""
        folder.mkdir()
        return calibrated(
            graph, self._noise(graph.facts), folder, self._maker, calibrator="minmax", repair="none"
        )

    def _noise(self, facts: ModelFacts) -> str:
        """A few images for the base and every candidate."""
        if self._images is None:
            out = str(self._new_folder("images") / "noise.npy")
            request = WriteNoise(shape=facts.input_shape, pixels=facts.preprocessing.takes_pixels, out=out)
            self._images = self._clock.run(request).path
        return self._images

    def _target(self, model: _TimedModel, which: str) -> LatencyTarget:
        artifact = model.artifact
        return LatencyTarget(
            path=artifact.path,
            file=which,
            format=artifact.format,
            scheme=artifact.scheme,
            backend=self.how.backend,
            device=self.how.device,
        )


def step_latency(
    workers: WorkerPool, folder: Path, before: ModelRequest, after: str, how: TimedAs, on_progress: OnProgress
) -> StepLatency:
    """The latency of one step: the file `after` against `before`. As Race, for once."""
    with Race(workers, folder, before, how, on_progress) as race:
        return race.against(after)


def _copied(file: str, folder: Path) -> str:
    try:
        return str(shutil.copyfile(file, folder / Path(file).name))
    except OSError as error:
        raise OutputError(
            f"{file} cannot be copied to {folder} ({error.strerror}): name another folder with TMPDIR"
        ) from error


def _check_same(base: ModelFacts, other: ModelFacts, source: str) -> None:
    """Raises DataError unless the two can be asked the same thing."""
    for what, ours, theirs in (
        ("input", base.input_shape, other.input_shape),
        ("classes", base.classes, other.classes),
    ):
        if ours != theirs:
            raise DataError(
                f"{source} has {what} {theirs} and {base.source} has {ours}: "
                "only models for the same images can be timed against each other"
            )
