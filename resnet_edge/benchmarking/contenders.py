"""Runs in the parent. Who takes turns in a bench: artifacts, opened, each in the process of its backend."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from resnet_edge.benchmarking.candidates import Place, candidates
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.task import (
    Block,
    ListOffers,
    Offers,
    Opened,
    Opening,
    OpenSession,
    TimeBlock,
    TimeColdStart,
)
from resnet_edge.benchmarking.wall_time import WallTime
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, ResnetEdgeError, WorkerFailed
from resnet_edge.core.results.bench import Cold, Failed, Unopened
from resnet_edge.core.results.profile import Profile
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent


@dataclass(kw_only=True)
class Contender:
    """One artifact on one backend: its warm session, and its turns."""

    target: LatencyTarget
    worker: Worker
    opened: Opened
    cold: Cold
    blocks: list[Block] = field(default_factory=list)
    profile: Profile | None = None


class Contenders:
    """Everyone who takes turns. What does not, or no longer, is in `failures` or `unopened`."""

    def __init__(
        self,
        workers: WorkerPool,
        threads: int,
        batch: int,
        cores: tuple[int, ...],
        wall: WallTime,
        on_progress: OnProgress,
    ) -> None:
        self.taken: list[Contender] = []
        self.failures: list[Failed] = []
        self.unopened: list[Unopened] = []
        self.notes: list[str] = []
        self.offers: dict[str, Offers] = {}
        self._workers, self._wall, self._on_progress = workers, wall, on_progress
        self._threads, self._batch, self._cores = threads, batch, cores
        self._members: dict[str, Worker] = {}

    def fill(
        self, files: Sequence[BenchFile], backends: tuple[str, ...], proved: Set[Place] = frozenset()
    ) -> None:
        """Open every artifact in the process of its backend, and in a fresh one of its own; `proved` as in
        `candidates`.

        Raises UsageError, MissingDependency, and ArtifactError where nothing opens.
        """
        chosen = candidates(files, backends, self._offered, proved)
        self.unopened += chosen.unopened
        self.notes += chosen.notes
        refused: list[tuple[LatencyTarget, ResnetEdgeError]] = []
        absent: set[tuple[str, str]] = set()
        since = self._wall.elapsed()
        for number, target in enumerate(chosen.targets):
            place = target.backend, target.device
            if place in absent:
                continue
            self._on_progress(
                Progress(
                    step="open",
                    done=number,
                    total=len(chosen.targets),
                    note=f"{target.file} on {' '.join(place)}",
                )
            )
            error = self._entered(target)
            if isinstance(error, DeviceUnavailable) and not chosen.named:
                absent.add(place)
                self.unopened.append(Unopened("", *place, str(error)))
            elif error is not None:
                refused.append((target, error))
            self._wall.check_opening(since, number + 1, len(chosen.targets))
        self._on_progress(Progress(step="open", done=len(chosen.targets), total=len(chosen.targets)))
        self._sort_out(refused, chosen.named, {str(file.path) for file in files if file.brought})
        self._check()

    def time_block(self, contender: Contender) -> None:
        """One block of one of them, unless it was removed. Raises ArtifactError when nobody is left."""
        if contender not in self.taken:
            return
        try:
            request = TimeBlock(number=contender.opened.number)
            contender.blocks.append(contender.worker.run(request))
        except ResnetEdgeError as error:
            self.taken.remove(contender)
            self.failed(contender.target, error)
            if contender.worker.gone:
                self._lost(contender.worker)
            self._check()

    def opening(self, target: LatencyTarget) -> Opening:
        """How a target is opened."""
        return Opening(target=target, threads=self._threads, batch=self._batch, cores=self._cores)

    def failed(self, target: LatencyTarget, error: ResnetEdgeError) -> None:
        """Keep and tell a failure."""
        self.failures.append(Failed(target.file, target.backend, target.device, str(error)))
        what = f"{target.file} on {target.backend} {target.device}"
        self._on_progress(Progress(step=what, note=f"{what}: {error}", line=True))

    def processor_seconds(self) -> float:
        """Of all processes that take turns, up to the last turn of each."""
        return sum(
            max(
                (s.blocks[-1].cpu_seconds for s in self.taken if s.worker is worker and s.blocks), default=0.0
            )
            for worker in self._members.values()
        )

    def _offered(self, name: str) -> Offers:
        if name not in self._members:
            self._members[name] = self._workers.worker(name, self._on_progress, backends_grant([name]))
        worker = self._members[name]
        self.offers[name] = worker.run(ListOffers(backend=name))
        return self.offers[name]

    def _entered(self, target: LatencyTarget) -> ResnetEdgeError | None:
        """Open one target; why it does not take part, if it does not."""
        opening = self.opening(target)
        worker = self._members[target.backend]
        fresh = self._workers.worker("cold start", silent, backends_grant([target.backend]))
        try:
            opened = worker.run(OpenSession(opening=opening))
            cold = fresh.run(TimeColdStart(opening=opening))
        except ResnetEdgeError as error:
            if worker.gone:
                self._lost(worker)
            return error
        finally:
            fresh.close()
        self.taken.append(Contender(target=target, worker=worker, opened=opened, cold=cold))
        return None

    def _lost(self, worker: Worker) -> None:
        """A process that died takes its other sessions with it: they are opened anew, and go on with
        blocks of the same size."""
        for contender in [contender for contender in self.taken if contender.worker is worker]:
            opening = replace(self.opening(contender.target), calls=contender.opened.calls)
            try:
                contender.opened = worker.run(OpenSession(opening=opening))
            except ResnetEdgeError as error:
                self.taken.remove(contender)
                self.failed(contender.target, error)

    def _sort_out(
        self, refused: Sequence[tuple[LatencyTarget, ResnetEdgeError]], named: bool, brought: Set[str]
    ) -> None:
        """Where all backends were to be tried, a file that one of them took is no failure elsewhere,
        unless a runtime broke over it; nor is one that nobody named, as the model of a folder, where it does
        not say its input size."""
        opened = {contender.target.path for contender in self.taken} | brought
        for target, error in refused:
            if named or target.path not in opened or isinstance(error, WorkerFailed):
                self.failed(target, error)
            else:
                self.unopened.append(Unopened(target.file, target.backend, target.device, str(error)))

    def _check(self) -> None:
        if self.taken:
            return
        if self.failures:
            first = self.failures[0]
            what = f"{first.artifact} on {first.backend}: {first.message}"
        else:
            what = "; ".join(f"{one.backend}: {one.message}" for one in self.unopened[:2])
        raise ArtifactError(f"nothing could be timed: {what or 'no backend opens it'}")
