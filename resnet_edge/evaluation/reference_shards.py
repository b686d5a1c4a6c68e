"""Runs in the parent. The Keras model itself, on shards of the images, by the machines of a cluster."""

from __future__ import annotations

import queue
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.scheduler import SHARD
from resnet_edge.evaluation.source_task import JoinReference, ReferenceShard, batch_size
from resnet_edge.models import ModelRequest
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent


def stays_here(model: ModelRequest) -> str:
    """Why a model is run on this machine though there is a cluster; empty where it goes there. Files go."""
    if Path(model.source).is_file():
        return ""
    return f"{model.source} is no file that goes to a cluster: the reference itself ran on this machine"


class ReferenceShards:
    """The reference on a cluster. `folder` takes the outputs of shards, and `here` joins them."""

    def __init__(
        self, model: ModelRequest, cluster: Cluster, workers: WorkerPool, here: Worker, folder: Path
    ) -> None:
        self._model, self._workers, self._here, self._folder = model, workers, here, folder
        self._count, self._where = cluster.machines, cluster.whole_machine
        sidecar = sidecar_path(Path(model.source))
        self._beside = (str(sidecar),) if sidecar.is_file() else ()

    def outputs(
        self,
        images: Images,
        facts: ModelFacts,
        out: str,
        on_progress: OnProgress,
        known: tuple[str, int] | None = None,
    ) -> str:
        """Of all `images`, to `out` (.npy), of which the first are `known`: where they are, and how many.
        Raises what the first shard raised that failed."""
        first = 0 if known is None else known[1]
        batch = batch_size(facts.input_shape, images.n)
        # No batch is cut: so each is what it is where one process runs all of them.
        step = max(1, SHARD // batch) * batch
        starts = range(first, images.n, step)
        shards = [
            ReferenceShard(
                model=self._model,
                images=images.images,
                start=start,
                stop=min(start + step, images.n),
                out=str(self._folder / f"{Path(out).stem}.{start}.npy"),
                beside=self._beside,
                names=images.names,
            )
            for start in starts
        ]
        self._run(shards, images.n, first, on_progress)
        parts = (*(() if known is None else known[:1]), *(shard.out for shard in shards))
        return self._here.run(JoinReference(parts=parts, out=out)).path

    def _run(self, shards: list[ReferenceShard], n: int, first: int, on_progress: OnProgress) -> None:
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        members = [
            self._workers.worker(f"reference {number + 1} on the cluster", silent, where=self._where)
            for number in range(min(self._count, len(shards)))
        ]
        for worker in members:
            idle.put(worker)
        done = [first]

        def run(shard: ReferenceShard) -> None:
            worker = idle.get()
            try:
                worker.run(shard)
            finally:
                idle.put(worker)
            done.append(shard.stop - shard.start)
            on_progress(Progress(step="reference", done=sum(done), total=n, note="Keras, on the cluster"))

        on_progress(Progress(step="reference", done=first, total=n, note="Keras, on the cluster"))
        with ThreadPoolExecutor(max(1, len(members))) as threads:
            try:
                steps = [threads.submit(run, shard) for shard in shards]
                for step in wait(steps, return_when=FIRST_EXCEPTION).done:
                    step.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in members:
                    worker.close()
