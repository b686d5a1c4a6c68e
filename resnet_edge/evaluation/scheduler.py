"""Runs in the parent. Artifacts run on every image, on all cores, from when they are made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future, InvalidStateError, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.machine import available_memory, usable_cores
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictResult, PredictShard
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent

FEWEST = 2
"""Workers, where memory allows it: with one, a slow proof would hold up all others. Each takes the memory of
a runtime with one artifact open, and runs on one thread."""
MEMORY_EACH = 1 << 30
"""Bytes that must be free for each: a ResNet-50 in float takes 0.4 GB, a ResNet-152 twice that."""

SHARD = 500
"""Images that a worker runs at a time: seconds of a ResNet-50, and a long shot from the cost of a call."""


def how_many() -> int:
    """How many proofs run side by side on this machine."""
    memory, wanted = available_memory(), max(FEWEST, usable_cores())
    return wanted if memory is None else max(1, min(wanted, int(memory // MEMORY_EACH)))


@dataclass(frozen=True)
class Evaluation:
    """The outputs of one artifact at one place, when they are there."""

    artifact: Artifact
    job: Job
    target: Target
    outputs: Future[PredictResult]

    @property
    def what(self) -> str:
        """As a person says it."""
        return f"{self.artifact.file} on {self.target.backend} {self.target.device}"


def spans(cuts: Sequence[int], size: int | None) -> list[tuple[int, int]]:
    """From the first to the last of all images, at most `size` at a time, and no part across one of `cuts`,
    of which the last is the number of images: so the parts up to each are the same however many follow."""
    parts = []
    for first, last in pairwise((0, *cuts)):
        step = size or last - first
        parts += [(start, min(start + step, last)) for start in range(first, last, step)]
    return parts


class Scheduler:
    """The workers that run artifacts; `executor` has at least `how_many()` threads for them. `store` keeps
    the outputs of shards; those that a run before left there are taken as they are. `grant`: what they may
    do beside what all workers may."""

    def __init__(
        self,
        workers: WorkerPool,
        executor: Executor,
        store: Path,
        on_progress: OnProgress,
        grant: Grant = NOTHING,
    ) -> None:
        self._executor, self._store, self._on_progress = executor, store, on_progress
        self._members = [workers.worker(f"proof {number + 1}", silent, grant) for number in range(how_many())]
        self._before: tuple[Future[str], ...] = ()
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._members:
            self._idle.put(worker)

    def wait_for(self, step: Future[str]) -> None:
        """Begin no proof before this step has ended, well or not: it takes the memory, and all cores."""
        self._before = (step,)

    def start(
        self,
        artifact: Artifact,
        job: Job,
        target: Target,
        images: Images,
        folder: Path | None = None,
        preprocessing: Preprocessing | None = None,
        cuts: Sequence[int] = (),
    ) -> Evaluation:
        """Run `artifact` on all images as soon as workers are idle; outputs go to `folder`, or to the
        store. What was run there before on the first images, up to each of `cuts`, is not run again."""
        name = (folder or self._store) / f"{artifact.file}.{target.backend}.{target.device}"
        request = Predict(
            path=artifact.path,
            format=artifact.format,
            backend=target.backend,
            device=target.device,
            threads=1,
            images=images.images,
            out=f"{name}.{images.n}.npy",
            preprocessing=preprocessing,
        )
        shards = [
            PredictShard(whole=request, start=start, stop=stop, out=f"{name}.{start}-{stop}.npy")
            for start, stop in spans((*cuts, images.n), None if target.in_one else SHARD)
        ]
        return Evaluation(artifact, job, target, self._gathered(request, shards))

    def _gathered(self, request: Predict, shards: list[PredictShard]) -> Future[PredictResult]:
        gathering = _Gathering(request, shards, self._on_progress)
        for shard in shards:
            self._executor.submit(self._run, shard, gathering)
        return gathering.outputs

    def _run(self, shard: PredictShard, gathering: _Gathering) -> None:
        wait(self._before)
        worker = self._idle.get()
        try:
            gathering.run(shard, worker)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes."""
        for worker in self._members:
            worker.close()


class _Gathering:
    """The shards of one proof, on their way to its outputs."""

    def __init__(self, request: Predict, shards: list[PredictShard], on_progress: OnProgress) -> None:
        self.outputs: Future[PredictResult] = Future()
        self._request, self._shards, self._on_progress = request, shards, on_progress
        self._step = f"{Path(request.path).name} on {request.backend}"
        self._left, self._done = len(shards), 0
        self._lock = threading.Lock()

    def run(self, shard: PredictShard, worker: Worker) -> None:
        """One shard, by `worker`; the last one joins them. The first that fails is the proof's failure."""
        if self.outputs.done():
            return
        self._progress(0)
        try:
            worker.run(shard)
            with self._lock:
                self._left -= 1
                last = self._left == 0
            result = self._joined(worker) if last else None
        except BaseException as error:  # whoever waits for the outputs must hear of it
            with self._lock, suppress(InvalidStateError):
                self.outputs.set_exception(error)
            return
        self._progress(shard.stop - shard.start)
        if result is not None:
            self.outputs.set_result(result)

    def _joined(self, worker: Worker) -> PredictResult:
        task = JoinShards(shards=tuple(shard.out for shard in self._shards), out=self._request.out)
        return worker.run(task)

    def _progress(self, more: int) -> None:
        with self._lock:
            self._done += more
            if more or not self._done:
                self._on_progress(Progress(step=self._step, done=self._done, total=self._shards[-1].stop))
