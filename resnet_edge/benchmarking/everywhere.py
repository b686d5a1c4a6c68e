"""Runs in the parent. A bench on this machine and on others, each timed by itself.

Two machines are never ranked as if they were one: a row's rank and ratios are among the rows of its machine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial

from resnet_edge import __version__
from resnet_edge.benchmarking.accuracy import accuracy_of
from resnet_edge.benchmarking.bench import BenchRequest, bench
from resnet_edge.benchmarking.candidates import left_out
from resnet_edge.benchmarking.host_task import BenchThere, CarriedFile, IdentifyMachine
from resnet_edge.benchmarking.recommend import recommended
from resnet_edge.benchmarking.task import CountBytes
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.backend_name import on_host, placed, split_host
from resnet_edge.core.errors import (
    ArtifactError,
    MissingDependency,
    ResnetEdgeError,
    WorkerFailed,
)
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.results.bench import Bench, Failed, HostBench
from resnet_edge.evaluation.hosts import aliases
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.process import log_folder
from resnet_edge.workers.progress import OnProgress, silent

ALL_FILES = "all files"
"""What could not be timed where a host could do nothing."""


def bench_everywhere(request: BenchRequest, on_progress: OnProgress) -> Bench:
    """Time everything wherever it was asked for: on all hosts side by side, and here when these are done. A
    host that cannot do it is a Failed row, and the others stay; raises what it said where nothing else was
    timed, and as `bench`."""
    by_host: dict[str, list[str]] = {}
    for word in request.backends:
        by_host.setdefault(split_host(word)[1], []).append(word)
    here = by_host.pop("", [])
    if not by_host:
        return bench(request, on_progress)
    began = time.monotonic()
    by_host, same = _by_machine(by_host)
    benches, failures = _on_hosts(request, by_host, on_progress, alone=not here)
    own = None
    if here:
        files = tuple(replace(file, brought=True) for file in request.files)  # another machine may open it
        own = bench(replace(request, files=files, backends=tuple(here)), on_progress)
    merged = _merged(request, own, benches)
    seconds = round(time.monotonic() - began, 1) if own is None else own.seconds
    merged = replace(merged, failures=(*merged.failures, *failures), seconds=seconds)
    return replace(merged, notes=(*same, *_left_out(request, merged), *merged.notes))


def _by_machine(by_host: Mapping[str, list[str]]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The words of each machine, by its first name, and what is to be told of machines with two: timed at
    once they would be in each other's way, and ranked as if they were two. What is not reached is asked
    again, by the bench."""
    if len(by_host) < 2:
        return {**by_host}, ()
    with log_folder() as logs, WorkerPool(logs) as workers, ThreadPoolExecutor(len(by_host)) as threads:
        boots = dict(zip(by_host, threads.map(partial(_boot_of, workers), by_host), strict=True))
    same = {host: first for host, first in aliases(boots).items() if first}
    by_machine: dict[str, list[str]] = {}
    for host, words in by_host.items():
        name = same.get(host, host)
        by_machine.setdefault(name, []).extend(on_host(split_host(word)[0], name) for word in words)
    notes = tuple(
        f"{host} is {first} under another name: timed once, as {first}" for host, first in same.items()
    )
    return {host: [*dict.fromkeys(words)] for host, words in by_machine.items()}, notes


def _boot_of(workers: WorkerPool, host: str) -> str:
    worker = workers.worker(f"identity of {host}", silent, where=host)
    try:
        return worker.run(IdentifyMachine()).boot
    except ResnetEdgeError:
        return ""
    finally:
        worker.close()


def _on_hosts(
    request: BenchRequest, by_host: Mapping[str, Sequence[str]], on_progress: OnProgress, *, alone: bool
) -> tuple[dict[str, Bench], list[Failed]]:
    benches: dict[str, Bench] = {}
    failures: list[Failed] = []
    with log_folder() as logs, WorkerPool(logs) as workers, ThreadPoolExecutor(len(by_host)) as threads:
        files = _carried(request, workers)
        timings = {
            host: threads.submit(partial(_on_host, request, files, host, backends, workers, on_progress))
            for host, backends in by_host.items()
        }
        try:
            for host, timing in timings.items():
                try:
                    benches[host] = timing.result()
                except ResnetEdgeError as error:
                    failures += [Failed(ALL_FILES, *placed(word), str(error)) for word in by_host[host]]
                    if alone and len(failures) == sum(map(len, by_host.values())):
                        raise
        except BaseException:
            workers.close()
            raise
    return benches, failures


def _left_out(request: BenchRequest, merged: Bench) -> tuple[str, ...]:
    """What no backend opens on any machine. Raises UsageError where such a file was named."""
    tried = {row.artifact for row in merged.rows} | {one.artifact for one in merged.failures}
    return () if ALL_FILES in tried else left_out(request.files, tried, request.backends)


def _carried(request: BenchRequest, workers: WorkerPool) -> tuple[CarriedFile, ...]:
    """What was named; of ONNX files with their weights, where the onnx package is here to tell which."""
    worker, files = workers.worker("weights", silent), []
    for file in request.files:
        beside: tuple[str, ...] = ()
        if file.format == "onnx":
            with suppress(ArtifactError, MissingDependency, WorkerFailed):  # the runtime there says more
                beside = worker.run(CountBytes(path=str(file.path))).beside
        if not file.brought:
            carried = CarriedFile(
                path=str(file.path), name=file.name, format=file.format, scheme=file.scheme, beside=beside
            )
            files.append(carried)
    worker.close()
    return tuple(files)


def _on_host(
    request: BenchRequest,
    files: tuple[CarriedFile, ...],
    host: str,
    backends: Sequence[str],
    workers: WorkerPool,
    on_progress: OnProgress,
) -> Bench:
    named = tuple(split_host(word)[0] for word in backends)
    task = BenchThere(files=files, request=replace(request, files=(), backends=named))
    worker = workers.worker(f"bench on {host}", on_progress, backends_grant(backends), host)
    try:
        return worker.run(task)
    finally:
        worker.close()


def _merged(request: BenchRequest, own: Bench | None, benches: Mapping[str, Bench]) -> Bench:
    """One document: rows of hosts carry the host's name, and what is known of a file is known here."""
    base = own if own is not None else next(iter(benches.values()))  # without either, that was raised
    hashes = {file.name: sha256_of(file.path) for file in request.files}
    accuracy = accuracy_of(request.files, hashes)
    hosts = {}
    rows = [] if own is None else [*own.rows]
    failures = [] if own is None else [*own.failures]
    for host, there in benches.items():
        theirs = [replace(row, backend=on_host(row.backend, host)) for row in there.rows]
        rows += theirs
        failures += (replace(one, backend=on_host(one.backend, host)) for one in there.failures)
        hosts[host] = HostBench(
            machine=there.machine,
            versions=there.versions,
            seconds=there.seconds,
            quiet=there.quiet,
            ceilings=there.ceilings,
            recommended=recommended(theirs, accuracy.proofs, base.size_bytes),
            notes=there.notes,
        )
    return Bench(
        resnet_edge=__version__,
        versions=versions(),
        machine=machine(),
        command=request.command,
        seconds=0.0,
        quiet=base.quiet,
        rows=tuple(rows),
        failures=tuple(failures),
        unopened=() if own is None else own.unopened,
        notes=() if own is None else own.notes,
        sha256=hashes,
        ceilings=None if own is None else own.ceilings,
        accuracy=accuracy,
        size_bytes=base.size_bytes,
        recommended=None if own is None else own.recommended,
        hosts=hosts,
        noise_accepted=request.accept_noise,
    )
