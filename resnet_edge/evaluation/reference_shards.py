"""Runs in the parent. The Keras model itself, on shards of the images: here, or by machines of a cluster."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.core.files.atomic import take_name, write_whole
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.data.images_task import DecodeImages, Images
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.scheduler import SHARD
from resnet_edge.evaluation.source_task import REFERENCE, JoinOutputs, RunReference, batch_size
from resnet_edge.models import ModelRequest
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent


def stays_here(source: ModelRequest | Path) -> str:
    """Why a model, or an artifact in its place, is run on this machine though there is a cluster; empty where
    it goes there. Files of models go."""
    if isinstance(source, Path):
        return f"{source} is the reference, and no Keras model: it ran on this machine"
    if Path(source.source).is_file():
        return ""
    return f"{source.source} is no file that goes to a cluster: the reference itself ran on this machine"


class ReferenceShards:
    """The outputs of a model, shard by shard, in `folder`: those that are there already are taken as they
    are. `here` runs them; with a `cluster`, its machines run what is no more than a file, and `here` gives
    them their images."""

    def __init__(
        self,
        model: ModelRequest,
        here: Worker,
        scratch: Path,
        workers: WorkerPool,
        on_progress: OnProgress,
        cluster: Cluster | None = None,
    ) -> None:
        self._model, self._here, self._scratch = model, here, scratch
        self._workers, self._on_progress = workers, on_progress
        self._cluster = None if stays_here(model) else cluster
        self._lock = threading.Lock()  # `here` does one thing at a time
        self._parts: list[Path] = []  # of the images that it was run on so far
        self._stop = 0
        self.folder = scratch / "reference outputs"
        sidecar = sidecar_path(Path(model.source))
        self._beside = (str(sidecar),) if sidecar.is_file() else ()

    def outputs(self, images: Images, facts: ModelFacts, out: str) -> str:
        """Of all images, to `out` (.npy). Asked again for more images that begin with the same ones, it runs
        the others only. Raises what the first shard raised that failed."""
        shards = self._shards(images, facts)
        self.folder.mkdir(exist_ok=True)
        self._parts += [Path(shard.out) for shard in shards]
        self._stop = images.n
        self._run([shard for shard in shards if not Path(shard.out).is_file()], images.n)
        try:
            request = JoinOutputs(parts=tuple(map(str, self._parts)), n=images.n, out=out)
            return self._here.run(request).path
        except DataError:  # of a machine that was switched off
            for part in self._parts:
                part.unlink(missing_ok=True)
            raise

    def _shards(self, images: Images, facts: ModelFacts) -> list[RunReference]:
        """What is to be run yet. No batch is cut: each is what it is where one call runs all of them."""
        batch = batch_size(facts.input_shape, images.n)
        step = max(1, SHARD // batch) * batch
        starts = range(self._stop, images.n, step)
        ends = [min(start + step, images.n) for start in starts]
        return [
            RunReference(
                model=self._model,
                images=images.images,
                names=images.names,
                out=str(self.folder / f"{REFERENCE}.{start}-{stop}.npy"),
                start=start,
                stop=stop,
                total=images.n,
                beside=self._beside,
            )
            for start, stop in zip(starts, ends, strict=True)
        ]

    def _run(self, shards: list[RunReference], n: int) -> None:
        if self._cluster is None:
            for shard in shards:
                self._run_whole(shard, self._here)
        elif shards:
            with self._members(self._cluster, len(shards)) as idle:
                self._share(shards, n, idle)

    def _run_whole(self, shard: RunReference, worker: Worker) -> None:
        """Its outputs are there whole, or not there: workers write where nothing is kept."""
        written = self._scratch / Path(shard.out).name
        worker.run(replace(shard, out=str(written)))
        try:
            try:
                take_name(written, Path(shard.out))
            except OSError:  # the outputs are kept on another disk
                write_whole(Path(shard.out), written.read_bytes())
                written.unlink()
        except OSError as error:
            why = error.strerror
            raise OutputError(f"{shard.out} cannot be written ({why}): make room there") from error

    @contextmanager
    def _members(self, cluster: Cluster, most: int) -> Iterator[queue.SimpleQueue[Worker]]:
        """A worker for each machine, that has all of its cores."""
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        members = [
            self._workers.worker(
                f"reference {number + 1} on the cluster", silent, where=cluster.whole_machine
            )
            for number in range(min(cluster.machines, most))
        ]
        for worker in members:
            idle.put(worker)
        try:
            yield idle
        finally:
            for worker in members:
                worker.close()

    def _share(self, shards: list[RunReference], n: int, idle: queue.SimpleQueue[Worker]) -> None:
        count = idle.qsize()
        left = sum((shard.stop or n) - shard.start for shard in shards)
        done = [n - left]

        def run(shard: RunReference) -> None:
            worker = idle.get()
            try:
                self._run_there(shard, worker)
            finally:
                idle.put(worker)
            done.append((shard.stop or n) - shard.start)
            self._progress(sum(done), n)

        self._progress(sum(done), n)
        with ThreadPoolExecutor(count) as threads:
            try:
                steps = [threads.submit(run, shard) for shard in shards]
                for step in wait(steps, return_when=FIRST_EXCEPTION).done:
                    step.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _run_there(self, shard: RunReference, worker: Worker) -> None:
        """With an array of its images alone, which nobody keeps here."""
        cut = self._scratch / f"{Path(shard.out).stem}.images.npy"
        assert shard.stop is not None
        request = DecodeImages(images=shard.images, start=shard.start, stop=shard.stop, out=str(cut))
        try:
            with self._lock:
                self._here.run(request)
            alone = replace(shard, images=str(cut), start=0, stop=None, before=shard.start)
            self._run_whole(alone, worker)
        finally:
            cut.unlink(missing_ok=True)

    def _progress(self, done: int, n: int) -> None:
        self._on_progress(Progress(step=REFERENCE, done=done, total=n, note="Keras, on the cluster"))
