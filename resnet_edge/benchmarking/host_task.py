"""What the parent of a bench asks a host, which then is the parent of a bench of its own."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.benchmarking.bench import BenchRequest
from resnet_edge.core.results.bench import Bench
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class CarriedFile:
    """As benchmarking.files.BenchFile, whose path is carried, with the files `beside` it that hold its
    weights."""

    path: str
    name: str
    format: str
    scheme: str | None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MachineIdentity:
    """core.machine.boot_id of a machine."""

    boot: str


@dataclass(frozen=True, kw_only=True)
class IdentifyMachine(Task[MachineIdentity], runs="resnet_edge.benchmarking.there:identify"):
    """benchmarking.there: which machine it is that goes by a name."""


@dataclass(frozen=True, kw_only=True)
class BenchThere(
    Task[Bench], runs="resnet_edge.benchmarking.there:run", reads=("files.path", "files.beside")
):
    """benchmarking.bench, of the machine that is asked: `request` has no files, as paths in it would not be
    carried."""

    files: tuple[CarriedFile, ...]
    request: BenchRequest
