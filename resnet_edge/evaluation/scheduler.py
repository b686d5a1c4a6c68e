"""Runs in the parent. Artifacts run on every image, on all cores, from when they are made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, InvalidStateError, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.data.images_task import DecodeImages, Images
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictResult, PredictShard
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.pool import HERE, Where, Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent
from resnet_edge.workers.side_by_side import how_many

THIS_MACHINE, ON_CLUSTER = "", "the cluster"
_NO_HOSTS: Mapping[str, int] = {}

SHARD = 500
"""Images that a worker runs at a time: seconds of a ResNet-50, and a long shot from the cost of a call."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The outputs of one artifact at one place, when they are there; files `beside` it hold its weights.
    `nodes` are the machines of a cluster that then took part."""

    artifact: Artifact
    job: Job
    target: Target
    outputs: Future[PredictResult]
    beside: tuple[str, ...] = ()
    nodes: set[str] = field(default_factory=set)

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
    """The workers that run artifacts, as a context manager; `executor` has at least `how_many()` threads for
    them. `store` keeps the outputs of shards; those that a run before left there are taken as they are.
    `grant`: what they may do beside what all workers may. `hosts`: how many workers each other machine has.
    With a `cluster`, that runs what would run here."""

    def __init__(
        self,
        workers: WorkerPool,
        executor: Executor,
        store: Path,
        on_progress: OnProgress,
        grant: Grant = NOTHING,
        hosts: Mapping[str, int] = _NO_HOSTS,
        cluster: Cluster | None = None,
    ) -> None:
        self._store, self._on_progress = store, on_progress
        self._machines = {THIS_MACHINE: self._machine(executor, workers, how_many(), grant)}
        elsewhere = sum(hosts.values()) + (0 if cluster is None else cluster.workers)
        self._threads = ThreadPoolExecutor(max(1, elsewhere))
        self._near = THIS_MACHINE if cluster is None else ON_CLUSTER
        if cluster is not None:
            self._machines[ON_CLUSTER] = self._machine(
                self._threads, workers, cluster.workers, grant, ON_CLUSTER, cluster.one_cpu
            )
        for host, count in hosts.items():
            self._machines[host] = self._machine(self._threads, workers, count, grant, host, host)
        self._before: tuple[Future[str], ...] = ()
        self._nodes: dict[str, str] = {}

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
        beside: tuple[str, ...] = (),
    ) -> Evaluation:
        """Run `artifact`, with files `beside` it that hold its weights, on all images as soon as workers are
        idle; outputs go to `folder`, or to the store. What was run there before on the first images, up to
        each of `cuts`, is not run again."""
        name = (folder or self._store) / f"{artifact.file}.{target.backend}.{target.device}"
        request = Predict(
            path=artifact.path,
            format=artifact.format,
            backend=target.runtime,
            device=target.device,
            threads=1,
            images=images.images,
            out=f"{name}.{images.n}.npy",
            preprocessing=preprocessing,
            beside=beside,
        )
        shards = [
            PredictShard.of(request, start, stop, f"{name}.{start}-{stop}.npy")
            for start, stop in spans((*cuts, images.n), None if target.in_one else SHARD)
        ]
        gathering = self._gathered(request, shards, target, images)
        return Evaluation(
            artifact=artifact,
            job=job,
            target=target,
            outputs=gathering.outputs,
            beside=beside,
            nodes=gathering.nodes,
        )

    def _machine(
        self,
        executor: Executor,
        workers: WorkerPool,
        count: int,
        grant: Grant,
        name: str = THIS_MACHINE,
        where: Where = HERE,
    ) -> _Machine:
        there = f" on {name}" if name else ""
        members = tuple(
            workers.worker(f"proof {number + 1}{there}", silent, grant, where) for number in range(count)
        )
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in members:
            idle.put(worker)
        return _Machine(executor=executor, workers=members, idle=idle)

    def _gathered(
        self, request: Predict, shards: list[PredictShard], target: Target, images: Images
    ) -> _Gathering:
        gathering = _Gathering(request, shards, target.backend, self._on_progress, self._nodes)
        place = target.host or self._near
        here, there = self._machines[THIS_MACHINE], self._machines[place]
        # A host keeps an array for its next run; machines of a cluster get what they run.
        alone = place == ON_CLUSTER or (place != THIS_MACHINE and images.encoded)
        for shard in shards:
            # What is there from a run before is here.
            machine = here if shard.is_done else there
            cut = alone and machine is not here
            machine.executor.submit(self._run, shard, gathering, machine, here, cut=cut)
        return gathering

    def _run(
        self, shard: PredictShard, gathering: _Gathering, machine: _Machine, here: _Machine, *, cut: bool
    ) -> None:
        """`cut`: its images go to the machine as an array of their own, which nobody keeps here."""
        wait(self._before)
        with machine.worker() as worker:
            before = partial(_cut, shard, here) if cut else None
            last = gathering.run(shard, worker, before)
        if last:
            with here.worker() as worker:
                gathering.join(worker)

    def __enter__(self) -> Scheduler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, and the threads: an interrupt that hits the start of a thread leaves one that
        the executor has not noted, and Python would wait for it for ever when it ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for machine in self._machines.values():
            machine.close()


@dataclass(frozen=True, kw_only=True)
class _Machine:
    """The workers of one machine, those that are idle now, and threads that wait for them."""

    executor: Executor
    workers: tuple[Worker, ...]
    idle: queue.SimpleQueue[Worker]

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """One, when it is idle."""
        worker = self.idle.get()
        try:
            yield worker
        finally:
            self.idle.put(worker)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def _cut(shard: PredictShard, here: _Machine) -> PredictShard:
    """The same on an array of its images alone."""
    out = f"{shard.out}.images.npy"
    with here.worker() as worker:
        worker.run(DecodeImages(images=shard.whole.images, start=shard.start, stop=shard.stop, out=out))
    return replace(shard, whole=replace(shard.whole, images=out), start=0, stop=shard.stop - shard.start)


class _Gathering:
    """The shards of one proof on `backend`, on their way to its outputs. `nodes` of all proofs are the
    machines of a cluster that ran a shard, by its outputs."""

    def __init__(
        self,
        request: Predict,
        shards: list[PredictShard],
        backend: str,
        on_progress: OnProgress,
        nodes: dict[str, str],
    ) -> None:
        self.outputs: Future[PredictResult] = Future()
        self.nodes = {nodes[shard.out] for shard in shards if shard.out in nodes}
        self._all_nodes = nodes
        self._request, self._shards, self._on_progress = request, shards, on_progress
        self._step = f"{Path(request.path).name} on {backend}"
        self._left, self._done = len(shards), 0
        self._lock = threading.Lock()

    def run(
        self, shard: PredictShard, worker: Worker, carried: Callable[[], PredictShard] | None = None
    ) -> bool:
        """One shard, by `worker`; whether it was the last. The first that fails is the proof's failure.
        `carried` makes what is run in its place, with images that are removed afterwards."""
        if self.outputs.done():
            return False
        self._progress(0)
        try:
            run = shard if carried is None else carried()
            try:
                worker.run(run)
            finally:
                if carried is not None:
                    Path(run.whole.images).unlink(missing_ok=True)
            if worker.node:
                self._all_nodes[shard.out] = worker.node
                self.nodes.add(worker.node)
        except BaseException as error:  # whoever waits for the outputs must hear of it
            self._failed(error)
            return False
        self._progress(shard.stop - shard.start)
        with self._lock:
            self._left -= 1
            return self._left == 0

    def join(self, worker: Worker) -> None:
        """All shards are there: `worker`, of this machine, makes one of them."""
        try:
            self.outputs.set_result(worker.run(JoinShards.of(self._shards, self._request.out)))
        except BaseException as error:  # as above
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        with self._lock, suppress(InvalidStateError):
            self.outputs.set_exception(error)

    def _progress(self, more: int) -> None:
        with self._lock:
            self._done += more
            if more or not self._done:
                self._on_progress(Progress(step=self._step, done=self._done, total=self._shards[-1].stop))
