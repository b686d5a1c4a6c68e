"""Runs in a worker. Latency of artifacts, side by side in one process under one clock.

All sessions are open at once and take turns in rounds of shuffled order, so that whatever
slows the machine for a while slows all of them, and ratios within a round stay true. What
is timed is `Session.run` on one image: blocking, with the copy of input and output.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.benchmarking.latency_task import LatencyResult, LatencyTarget, MeasureLatency
from resnet_edge.benchmarking.rounds import Runner, check_timed, interleave, warm_up
from resnet_edge.core import statistics
from resnet_edge.core.errors import ArtifactError, ResnetEdgeError
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.report import Failure
from resnet_edge.data.image_file import open_images
from resnet_edge.evaluation.predict import check_images, load_backend, stored
from resnet_edge.schemes import baseline
from resnet_edge.workers.progress import OnProgress, Progress


def measure(request: MeasureLatency, on_progress: OnProgress) -> LatencyResult:
    """Time every artifact that opens; one that does not, or that breaks, becomes a Failure.

    Raises DataError where the images cannot be read.
    """
    images = open_images(Path(request.images))[:1]
    failures: dict[int, Failure] = {}
    with ExitStack() as sessions:
        runners: dict[int, Runner] = {}
        for number, target in enumerate(request.artifacts):
            on_progress(Progress(step="warm-up", done=number, total=len(request.artifacts), note=target.file))
            try:
                runners[number] = open_runner(sessions, target, images, request.threads)
            except ResnetEdgeError as error:
                failures[number] = _failure(target, error)
        on_progress(Progress(step="warm-up", done=len(request.artifacts), total=len(request.artifacts)))
        times, broken = interleave(
            *(runners, request.rounds, request.budget_seconds, request.seed, on_progress), until_settled=True
        )
        devices = {number: runner.session.device for number, runner in runners.items()}
    failures |= {number: _failure(request.artifacts[number], error) for number, error in broken.items()}
    return LatencyResult(
        tuple(_latency(request, number, devices[number], times) for number in sorted(times)),
        tuple(failures[number] for number in sorted(failures)),
    )


def open_runner(
    sessions: ExitStack, target: LatencyTarget, images: NDArray[np.generic], threads: int
) -> Runner:
    """A warm session of an artifact, which `sessions` will close, with the first of its own images, else of
    `images`. Raises ArtifactError, DataError, DeviceUnavailable, MissingDependency."""
    if target.images is not None:
        images = open_images(Path(target.images))[:1]
    backend = load_backend(target.backend, target.format, target.path)
    session = sessions.enter_context(backend.open_session(Path(target.path), target.device, threads))
    check_timed(session, target.backend)
    if session.input.shape[0] not in (None, 1):
        raise ArtifactError(
            f"{target.file} takes {session.input.shape[0]} images at a time, and one is timed"
        )
    check_images(images, session.input)
    image = stored(images, session.input)
    return Runner(session, image, warm_up(session, image))


def _failure(target: LatencyTarget, error: ResnetEdgeError) -> Failure:
    return Failure(f"latency of {target.file} on {target.backend} {target.device}", str(error))


def _latency(
    request: MeasureLatency, number: int, device: str, times: dict[int, NDArray[np.float64]]
) -> Latency:
    target, own = request.artifacts[number], times[number]
    ratio, interval = None, None
    baseline = _baseline(request.artifacts, target)
    if baseline is not None and baseline in times:
        theirs = np.median(times[baseline], axis=1)
        ratio, interval = statistics.paired_ratio(theirs, np.median(own, axis=1), request.seed)
    return Latency(
        artifact=target.file,
        backend=target.backend,
        device=device,
        threads=request.threads,
        batch=1,
        n=own.size,
        p50_ms=float(np.median(own)),
        p90_ms=float(np.percentile(own, 90)),
        p50_ci95_ms=statistics.median_interval(own, request.seed),
        vs_fp32=ratio,
        vs_fp32_ci95=interval,
    )


def _baseline(targets: Sequence[LatencyTarget], target: LatencyTarget) -> int | None:
    """The fp32 artifact of the same format on the same backend and device."""
    same = (target.format, target.backend, target.device, baseline())
    for number, other in enumerate(targets):
        if (other.format, other.backend, other.device, other.scheme) == same:
            return number
    return None
