"""What the parent of a bench asks a host, which then is the parent of a bench of its own."""

from __future__ import annotations

from dataclasses import dataclass

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
class BenchThere(
    Task[Bench], runs="resnet_edge.benchmarking.there:run", reads=("files.path", "files.beside")
):
    """benchmarking.bench.BenchRequest, of the machine that is asked."""

    files: tuple[CarriedFile, ...]
    backends: tuple[str, ...]
    threads: int
    batch: int
    budget_seconds: float
    seed: int
    profile: bool
    accept_noise: bool
    command: str
