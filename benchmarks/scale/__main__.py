"""What limits a proof on a cluster.

    python -m benchmarks.scale [DIR] [--large FILE.onnx] [--cluster WORD]

DIR is what `make demo` wrote. Measures what the shards of its fp32 ONNX file cost here and on a Ray cluster:
one that is started on this machine, of two nodes with a CPU each, unless another is named. FILE.onnx is a
network of photos, of which the seconds for an image are measured, too. Then clusters of other sizes are
simulated with that (simulation.py). Without DIR they are simulated again, with what was measured last.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.results import keep, read, write
from benchmarks.scale.measured import calls_per_second, here, joined, shards, there, transfer
from benchmarks.scale.simulation import Costs, Job, curve
from benchmarks.scale.tables import table
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.data.load import load
from resnet_edge.evaluation.scheduler import SHARD
from tests.workers.cluster.fixtures import started

COUNTS = (1, 8, 64, 512)
PER_MACHINE = 16
"""CPUs of a machine that is simulated."""
PHOTOS = 50_000
"""Images of the large job: the validation images of ImageNet."""
ROUNDS = 3
SMALLER = 10
"""Times smaller shards, of what might be."""


def main() -> None:
    """Measure, simulate, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--large", type=Path)
    parser.add_argument("--cluster")
    options = parser.parse_args()
    if options.folder is None:
        again = read("scale")
        again["result"] = _result(again["result"]["measured"])
        print(table(again["result"]))
        write("scale", again)
        return
    with scratch_folder() as scratch, _cluster(options.cluster, scratch) as word:
        measured = _measured(options.folder, word, scratch)
    if options.large is not None:
        measured["large"] = _large(options.large)
    result = _result(measured)
    print(table(result))
    keep("scale", result)


def _result(measured: dict[str, Any]) -> dict[str, Any]:
    """What was measured, and what is simulated with it."""
    costs = _costs(measured)
    jobs = [_small(measured), *(_ways(_photos(measured)) if "large" in measured else ())]
    simulated = [
        {
            "title": job.title,
            "shards": job.shards,
            "file_bytes": job.file_bytes,
            "mean_seconds": statistics.mean(job.shard_seconds),
            "curve": [asdict(one) for one in curve(job, costs, COUNTS, PER_MACHINE)],
        }
        for job in jobs
    ]
    return {
        "measured": measured,
        "costs": asdict(costs),
        "per_machine": PER_MACHINE,
        "simulated": simulated,
    }


@contextmanager
def _cluster(word: str | None, scratch: Path) -> Iterator[str]:
    if word is not None:
        yield word
        return
    temporary = scratch / "nodes"
    temporary.mkdir()
    with started(temporary) as cluster:
        os.environ.update(cluster.environment)
        yield cluster.word


def _measured(folder: Path, word: str, scratch: Path) -> dict[str, Any]:
    artifact = next(folder.glob("*.fp32.onnx")).resolve()
    images, log = scratch / "images.npy", scratch / "log"
    np.save(images, load("fashion-mnist", "test").images)
    work = shards(artifact, images, scratch)
    local: list[float] = []
    remote: list[dict[str, Any]] = []
    began = time.perf_counter()
    with joined(word, scratch / "cluster.log") as connection:
        join = time.perf_counter() - began
        for number in range(ROUNDS):  # in turns: others use the machine, too
            local += here(work, scratch / f"here {number}", log)
            remote.append(there(connection, work, scratch / f"there {number}", log))
        rate = calls_per_second(connection, work, scratch / "tiny", log)
        moved = transfer(connection, work, scratch / "large", log)
        began = time.perf_counter()
    leave = time.perf_counter() - began
    return {
        "file": artifact.name,
        "images": len(np.load(images, mmap_mode="r")),
        "shard_images": SHARD,
        "file_bytes": images.stat().st_size + artifact.stat().st_size,
        "here": local,
        "there": {
            key: [value for one in remote for value in one[key]]
            for key in ("first", "placing", "bytes", "seconds", "around")
        },
        "cpus": remote[0]["cpus"],
        "join_seconds": join,
        "leave_seconds": leave,
        "calls_per_second": rate,
        "transfer": moved,
    }


def _large(file: Path) -> dict[str, Any]:
    """Seconds for an image of a network of photos, one at a time on a thread."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    shape = [1, *entry.shape[1:]]
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    seconds = []
    for _ in range(24):
        began = time.perf_counter()
        session.run(None, {entry.name: image})
        seconds.append(time.perf_counter() - began)
    return {
        "file": file.name,
        "image_seconds": seconds[4:],
        "image_bytes": int(np.prod(shape)),
        "artifact_bytes": file.stat().st_size,
    }


def _costs(measured: dict[str, Any]) -> Costs:
    there = measured["there"]
    shard = statistics.median(there["seconds"])
    return Costs(
        driver_seconds=1 / measured["calls_per_second"],
        start_seconds=max(0.0, max(there["first"]) - shard),
        put_rate=measured["transfer"]["put_rate"],
        fetch_rate=measured["transfer"]["fetch_rate"],
    )


def _small(measured: dict[str, Any]) -> Job:
    n = measured["images"] // measured["shard_images"]
    return Job(
        title=f"{measured['file']}, {measured['images']:,} images",
        shards=n,
        shard_seconds=tuple(measured["there"]["seconds"]),
        file_bytes=measured["file_bytes"],
        rows_only=True,
    )


def _ways(job: Job) -> tuple[Job, ...]:
    """As it is, as it might be, and as it must not be."""
    small = replace(job.divided(SMALLER), title=f"{job.title}, with shards of {SHARD // SMALLER} images")
    whole = replace(job, title=f"{job.title}, if every machine took all images first", rows_only=False)
    return job, small, whole


def _photos(measured: dict[str, Any]) -> Job:
    """Shards of a network of photos: as long as its images take, and spread as those that were measured."""
    large, seconds = measured["large"], measured["there"]["seconds"]
    each = SHARD * statistics.median(large["image_seconds"]) / statistics.median(seconds)
    return Job(
        title=f"{large['file']}, {PHOTOS:,} photos",
        shards=PHOTOS // SHARD,
        shard_seconds=tuple(each * one for one in seconds),
        file_bytes=PHOTOS * large["image_bytes"] + large["artifact_bytes"],
        rows_only=True,
    )


if __name__ == "__main__":
    main()
