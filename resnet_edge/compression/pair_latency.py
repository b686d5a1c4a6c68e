"""Runs in a worker. Two artifacts, of a model before and after a step, under one clock."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from resnet_edge.benchmarking.latency import open_runner
from resnet_edge.benchmarking.rounds import interleave
from resnet_edge.compression.step_latency import SettleTiming, TimePair, WriteNoise
from resnet_edge.conversion.plan import plan
from resnet_edge.conversion.plan_task import Plan, PlanArtifacts
from resnet_edge.core import registry, statistics
from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.data.image_file import open_images
from resnet_edge.workers.progress import OnProgress, Progress

IMAGES = 8


def settle(task: SettleTiming, on_progress: OnProgress) -> Plan:
    """The one artifact to make of every model, in the format that the backend opens.

    Raises UnknownName, UsageError, UnsupportedScheme, MissingDependency, DeviceUnavailable.
    """
    request = task.how
    opened = registry.load("backends", request.backend).FORMATS
    format_name = next((name for name in registry.names("formats") if name in opened), None)
    if format_name is None:
        raise UsageError(f"backend {request.backend} opens none of the formats that are written here")
    place = f"{request.backend}:{request.device}"
    return plan(
        PlanArtifacts(formats=(format_name,), schemes=(request.scheme,), backends=(place,), io="float32"),
        on_progress,
    )


def noise(request: WriteNoise, on_progress: OnProgress) -> WrittenFile:
    """Write IMAGES images of seeded noise: uint8 pixels, or float32 from -1 to 1."""
    random, shape = np.random.default_rng(0), (IMAGES, *request.shape)
    if request.pixels:
        np.save(request.out, random.integers(0, 256, shape, np.uint8))
    else:
        np.save(request.out, random.uniform(-1, 1, shape).astype(np.float32))
    return WrittenFile(request.out)


def measure(request: TimePair, on_progress: OnProgress) -> StepLatency:
    """Time both in shuffled turns; the ratio is taken round by round (statistics.paired_ratio).

    Raises ArtifactError, DataError, DeviceUnavailable where either cannot be run.
    """
    image = open_images(Path(request.images))[:1]
    with ExitStack() as sessions:
        runners = {}
        for number, target in enumerate((request.before, request.after)):
            on_progress(
                Progress(
                    step="warm-up",
                    done=number,
                    total=2,
                    note=f"{target.scheme} {target.format} {target.file}",
                )
            )
            runners[number] = open_runner(sessions, target, image, request.threads)
        on_progress(Progress(step="warm-up", done=2, total=2))
        times, broken = interleave(runners, request.rounds, request.budget_seconds, request.seed, on_progress)
        device = runners[1].session.device
    for error in broken.values():
        raise error
    before, after = (np.median(times[number], axis=1) for number in (0, 1))
    ratio, interval = statistics.paired_ratio(after, before, request.seed)
    return StepLatency(
        format=request.after.format,
        scheme=request.after.scheme,
        backend=request.after.backend,
        device=device,
        threads=request.threads,
        before_ms=float(np.median(times[0])),
        after_ms=float(np.median(times[1])),
        ratio=ratio,
        ratio_ci95=interval,
    )
