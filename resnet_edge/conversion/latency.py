"""Runs in the parent. The latency of the artifacts of a conversion."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.notes import not_timed
from resnet_edge.conversion.run_log import RunLog
from resnet_edge.core import registry
from resnet_edge.core.backend_name import on_host, split_host
from resnet_edge.core.device import is_software
from resnet_edge.core.results.latency import Latency
from resnet_edge.data.images_task import DecodeImages, Images
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool


def timed(
    request: ConvertRequest, images: Images, proofs: list[Evaluation], workers: WorkerPool, run_log: RunLog
) -> tuple[Latency, ...]:
    """Measure the latency of what ran; nothing else of ours runs by now."""
    if not request.latency_seconds:
        return ()
    ran = [proof for proof in proofs if proof.outputs.exception() is None]
    run_log.notes += not_timed((p.target.backend, p.outputs.result().device) for p in ran)
    pinned = registry.declared("backends")  # behind a pipe, and there for their answers
    targets = tuple(
        LatencyTarget(
            path=p.artifact.path,
            file=p.artifact.file,
            format=p.job.format,
            scheme=p.job.scheme,
            backend=p.target.backend,
            device=p.target.device,
        )
        for p in ran
        if not is_software(p.outputs.result().device) and p.target.runtime not in pinned
    )
    first = _first(images, workers, run_log)
    by_host: dict[str, list[LatencyTarget]] = {}
    for target in targets:
        by_host.setdefault(split_host(target.backend)[1], []).append(target)
    latencies: list[Latency] = []
    for host, own in by_host.items():
        task = MeasureLatency(
            artifacts=tuple(replace(target, backend=split_host(target.backend)[0]) for target in own),
            images=first,
            threads=request.threads,
            rounds=None,
            budget_seconds=request.latency_seconds,
        )
        grant = backends_grant(target.backend for target in own)
        name = f"latency on {host}" if host else "latency"
        clock = workers.worker(name, run_log.on_progress, grant, host)
        measured = run_log.attempt(name, partial(clock.run, task))
        clock.close()
        if measured is not None:
            run_log.failures += measured.failures
            latencies += [replace(row, backend=on_host(row.backend, host)) for row in measured.latencies]
    return tuple(latencies)


def _first(images: Images, workers: WorkerPool, run_log: RunLog) -> str:
    """Images as an array, of which the first is enough: other machines have no photos."""
    if not images.encoded:
        return images.images
    worker = workers.worker("first image", run_log.on_progress)
    try:
        return worker.run(
            DecodeImages(images=images.images, start=0, stop=1, out=f"{images.images}.first.npy")
        ).path
    finally:
        worker.close()
