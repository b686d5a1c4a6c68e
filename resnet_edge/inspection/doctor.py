"""Runs in the parent. What is installed, on what machine, and which backends open here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency, ResnetEdgeError
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.results.examination import BackendState, DeviceState, Examination, SandboxState
from resnet_edge.workers.grant import FREE
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.process import WorkerProcess, log_folder
from resnet_edge.workers.progress import OnProgress, Progress
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class ProbeBackend(Task[BackendState], runs="resnet_edge.inspection.probe:probe"):
    """The name of a backend."""

    backend: str


@dataclass(frozen=True, kw_only=True)
class CheckSandbox(Task[SandboxState], runs="resnet_edge.inspection.sandbox_check:check", writes=("folder",)):
    """`folder`: one that the worker may not write in, and could if nothing held it."""

    folder: str


@dataclass(frozen=True, kw_only=True)
class ExamineMachine(Task[Examination], runs="resnet_edge.inspection.doctor:examined"):
    """inspection.doctor: what is installed on the machine that is asked, and which backends open there."""


def examined(request: ExamineMachine, on_progress: OnProgress) -> Examination:
    """Runs in a worker, and starts others."""
    return examine(on_progress)


def examine_host(host: str, on_progress: OnProgress) -> Examination:
    """The same of another machine. Raises HostUnavailable."""
    with log_folder() as logs, WorkerPool(logs) as workers:
        worker = workers.worker(f"doctor on {host}", on_progress, FREE, host)
        return replace(worker.run(ExamineMachine()), host=host)


def examine(on_progress: OnProgress) -> Examination:
    """Open every backend on every device it knows, each backend in a worker of its own."""
    names = registry.names("backends")
    backends = []
    for done, name in enumerate(names):
        on_progress(Progress(step="backends", done=done, total=len(names), note=name))
        backends.append(_probe(name))
    on_progress(Progress(step="backends", done=len(names), total=len(names)))
    return Examination(machine=machine(), versions=versions(), backends=tuple(backends), sandbox=_sandbox())


def _sandbox() -> SandboxState:
    with (
        scratch_folder() as elsewhere,
        log_folder() as logs,
        WorkerProcess("sandbox", logs / "sandbox.log") as worker,
    ):
        request = CheckSandbox(folder=str(elsewhere))
        return worker.run(request)


def _backend_worker(name: str, logs: Path) -> WorkerProcess:
    return WorkerProcess(f"backend {name}", logs / f"{name}.log", grant=backends_grant([name]))


def _probe(name: str) -> BackendState:
    try:
        with log_folder() as logs, _backend_worker(name, logs) as worker:
            return worker.run(ProbeBackend(backend=name))
    except MissingDependency as error:
        return BackendState(name, "", (DeviceState(device="-", status="not installed", detail=str(error)),))
    except ResnetEdgeError as error:
        return BackendState(name, "", (DeviceState(device="-", status="broken", detail=str(error)),))
