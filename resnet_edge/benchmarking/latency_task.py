"""What the parent asks of benchmarking.latency, and the latencies it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.report import Failure
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class LatencyTarget:
    """An artifact on a backend and a device; `file` is the name that the report prints. `images`: what it is
    timed with, where others take another size."""

    path: str
    file: str
    format: str
    scheme: str
    backend: str
    device: str
    images: str | None = None


@dataclass(frozen=True)
class LatencyResult:
    """Latencies in the order asked for, and what could not be timed."""

    latencies: tuple[Latency, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureLatency(
    Task[LatencyResult],
    runs="resnet_edge.benchmarking.latency:measure",
    reads=(
        "artifacts.path",
        "artifacts.images",
        "images",
    ),
):
    """What to time, with how many threads each, and for how long.

    `images` is an .npy (N, H, W, C), uint8 or float32, whose first image is used. `rounds`
    fixes their number; None goes on for `budget_seconds` after the warm-up. `seed` orders
    the rounds and draws the bootstrap.
    """

    artifacts: tuple[LatencyTarget, ...]
    images: str
    threads: int
    rounds: int | None
    budget_seconds: float
    seed: int = 0
