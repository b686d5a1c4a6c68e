"""What the parent of a bench asks of its workers, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.core.results.bench import Cold, Interval
from resnet_edge.core.results.profile import Profile
from resnet_edge.core.roofline import Ceilings, Work
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Offers:
    """Names of formats and of devices; `for_parity_only` as in backends/__init__.py; `profiles`: it tells
    what operators take."""

    formats: tuple[str, ...]
    devices: tuple[str, ...]
    for_parity_only: bool
    profiles: bool = False


@dataclass(frozen=True, kw_only=True)
class ListOffers(Task[Offers], runs="resnet_edge.benchmarking.sessions:offers"):
    """benchmarking.sessions:offers: what the backend of this name opens, and on what."""

    backend: str


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One artifact, to be fed seeded noise of `batch`
    images. `cores`: what the process may run on (empty: leave it). `calls`: of one block (None: as many
    as warming up finds to be worth one)."""

    target: LatencyTarget
    threads: int
    batch: int
    cores: tuple[int, ...] = ()
    calls: int | None = None


@dataclass(frozen=True)
class Opened:
    """A warm session: its number in that process, the device that the runtime names, and the calls of
    one block."""

    number: int
    device: str
    calls: int


@dataclass(frozen=True, kw_only=True)
class OpenSession(
    Task[Opened], runs="resnet_edge.benchmarking.sessions:open_session", reads=("opening.target.path",)
):
    """Open and warm a session, which stays open in the worker."""

    opening: Opening


@dataclass(frozen=True, kw_only=True)
class TimeColdStart(
    Task[Cold], runs="resnet_edge.benchmarking.sessions:cold", reads=("opening.target.path",)
):
    """In a fresh process: what opening takes, and the first image."""

    opening: Opening


@dataclass(frozen=True, kw_only=True)
class ProfileOperators(
    Task[Profile], runs="resnet_edge.benchmarking.profile:profile", reads=("opening.target.path",)
):
    """The time of every operator, as the runtime tells."""

    opening: Opening


@dataclass(frozen=True)
class Block:
    """Milliseconds of each call; of the yardstick, a fixed piece of work before them; and the
    processor seconds that the process, and those that it started for its runtime, have used so far."""

    milliseconds: tuple[float, ...]
    yardstick_ms: float
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class TimeBlock(Task[Block], runs="resnet_edge.benchmarking.sessions:block"):
    """benchmarking.sessions:block: the next block of the session `number`."""

    number: int


@dataclass(frozen=True)
class RowBlocks:
    """The blocks of one row: (rounds, block) milliseconds, and the yardstick of each round."""

    milliseconds: tuple[tuple[float, ...], ...]
    yardstick_ms: tuple[float, ...]


@dataclass(frozen=True)
class AllSettled:
    """In the order of the rows; `slowest_quarter` as in core.results.bench.Quiet."""

    rows: tuple[Settled, ...]
    slowest_quarter: float


@dataclass(frozen=True, kw_only=True)
class SettleRounds(Task[AllSettled], runs="resnet_edge.benchmarking.verdict:settle"):
    """benchmarking.verdict: what the blocks of all rows, of the same rounds, amount to."""

    rows: tuple[RowBlocks, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Settled:
    """One row: percentiles in milliseconds, the interval of the median, the latency over that of the
    fastest row with its interval, the rank, and why it would not hold when repeated (empty: it does)."""

    n: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p50_ci95_ms: Interval
    times_fastest: float
    times_fastest_ci95: Interval
    rank: int
    unsteady: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureCeilings(Task[Ceilings], runs="resnet_edge.benchmarking.ceilings:ceilings"):
    """With how many threads, on which cores (empty: leave it)."""

    threads: int
    cores: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoredBytes:
    """Of an artifact, with the files `beside` it that hold its weights."""

    size_bytes: int
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CountBytes(Task[StoredBytes], runs="resnet_edge.benchmarking.macs:stored", reads=("path",)):
    """An ONNX file: the weights of others may stand in files beside it."""

    path: str


@dataclass(frozen=True, kw_only=True)
class CountWork(Task[Work], runs="resnet_edge.benchmarking.macs:work", reads=("path",)):
    """An artifact."""

    path: str
