"""Measures what a shard costs here and on a Ray cluster, and what stands around it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from resnet_edge.evaluation.predict_task import Predict, PredictShard
from resnet_edge.evaluation.scheduler import SHARD
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.connection import ClusterConnection
from resnet_edge.workers.cluster.node import own_identity
from resnet_edge.workers.cluster.process import ClusterProcess
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess

CALLS = 200
LARGE = 256 << 20
"""Bytes of a file of images, for the speed of a transfer."""


@contextmanager
def joined(word: str, log: Path) -> Iterator[ClusterConnection]:
    """The cluster, as `verify` joins it."""
    with ClusterConnection(ClusterAddress.parse(word), log) as connection:
        connection.join(own_identity())
        yield connection


def shards(artifact: Path, images: Path, folder: Path, size: int = SHARD) -> list[PredictShard]:
    """Of all images, on ONNX Runtime, on one thread."""
    n = len(np.load(images, mmap_mode="r"))
    whole = Predict(
        path=str(artifact),
        format="onnx",
        backend="onnxruntime",
        device="cpu",
        threads=1,
        images=str(images),
        out=str(folder / "all.npy"),
    )
    starts = range(0, n, size)
    return [
        PredictShard.of(whole, start, min(start + size, n), str(folder / f"{start}.npy")) for start in starts
    ]


def here(work: Sequence[PredictShard], folder: Path, log: Path) -> list[float]:
    """Seconds of each shard but the first, which opens the file, in a worker of this machine."""
    folder.mkdir(exist_ok=True)
    seconds = []
    with WorkerProcess("shard", log, grant=Grant(writes=(str(folder),))) as worker:
        for shard in (_in(one, folder) for one in work):
            began = time.perf_counter()
            worker.run(shard)
            seconds.append(time.perf_counter() - began)
    return seconds[1:]


def there(
    connection: ClusterConnection, work: Sequence[PredictShard], folder: Path, log: Path
) -> dict[str, Any]:
    """The same on the cluster, as many at once as it has CPUs. `seconds` are those that a machine was at work
    on a shard, `around` what passed besides until its outputs were here, `first` the seconds of the first of
    each machine, in all."""
    folder.mkdir(exist_ok=True)
    cpus = sum(one.cpus for one in connection.nodes)
    began = time.perf_counter()

    def run(shard: PredictShard) -> dict[str, Any]:
        sent = time.perf_counter()
        with ClusterProcess("shard", log, connection) as process:
            process.run(shard)
            took, timing = time.perf_counter() - sent, process.timing
        return {
            "node": timing.node,
            "seconds": timing.seconds,
            "placing": timing.placing,
            "bytes": timing.placed_bytes,
            "around": took - timing.seconds,
            "took": took,
        }

    with ThreadPoolExecutor(cpus) as threads:
        rows = [*threads.map(run, (_in(one, folder) for one in work))]
    wall = time.perf_counter() - began
    first, later = [row for row in rows if row["bytes"]], [row for row in rows if not row["bytes"]]
    return {
        "wall": wall,
        "cpus": cpus,
        "first": [row["took"] for row in first],
        "placing": [row["placing"] for row in first],
        "bytes": [row["bytes"] for row in first],
        "seconds": [row["seconds"] for row in later],
        "around": [row["around"] for row in later],
    }


def calls_per_second(
    connection: ClusterConnection, work: Sequence[PredictShard], folder: Path, log: Path
) -> float:
    """Of calls that do next to nothing, many at once: what one driver can hand out and take back."""
    folder.mkdir(exist_ok=True)
    tiny = [PredictShard.of(work[0].whole, at, at + 1, str(folder / f"{at}.npy")) for at in range(CALLS)]

    def run(shard: PredictShard) -> None:
        with ClusterProcess("shard", log, connection) as process:
            process.run(shard)

    with ThreadPoolExecutor(32) as threads:
        began = time.perf_counter()
        done = [*threads.map(run, tiny)]
        return len(done) / (time.perf_counter() - began)


def transfer(
    connection: ClusterConnection, work: Sequence[PredictShard], folder: Path, log: Path
) -> dict[str, float]:
    """Bytes per second from a file here into the store of objects (`put`, with SHA-256 and the call around
    it), and out of that into a file of a machine (`placed`)."""
    folder.mkdir(exist_ok=True)
    images = folder / "large.npy"
    np.save(images, np.random.default_rng(0).integers(0, 256, (LARGE // 784, 28, 28, 1), np.uint8))
    whole = replace(work[0].whole, images=str(images))
    shard = replace(_in(work[0], folder), whole=whole, start=0, stop=1)
    with ClusterProcess("transfer", log, connection) as process:
        began = time.perf_counter()
        process.run(shard)
        took, timing = time.perf_counter() - began, process.timing
    size = images.stat().st_size
    return {
        "bytes": size,
        "put_rate": size / (took - timing.seconds),
        "fetch_rate": timing.placed_bytes / timing.placing,
    }


def _in(shard: PredictShard, folder: Path) -> PredictShard:
    out = folder / Path(shard.out).name
    return replace(shard, out=str(out), result=str(out.with_suffix(".json")))
