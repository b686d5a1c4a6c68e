"""What the parent of a bench asks of its workers, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.benchmarking.latency_request import LatencyTarget
from resnet_edge.core.bench import Interval


@dataclass(frozen=True)
class OffersRequest:
    """benchmarking.sessions:offers: what the backend of this name opens, and on what."""

    backend: str


@dataclass(frozen=True)
class Offers:
    """Names of formats and of devices; `for_parity_only` as in backends/__init__.py; `profiles`: it tells
    what operators take."""

    formats: tuple[str, ...]
    devices: tuple[str, ...]
    for_parity_only: bool
    profiles: bool = False


@dataclass(frozen=True)
class OpenRequest:
    """benchmarking.sessions:open_session and :cold: one artifact, to be fed seeded noise of `batch`
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


@dataclass(frozen=True)
class BlockRequest:
    """benchmarking.sessions:block: the next block of the session `number`."""

    number: int


@dataclass(frozen=True)
class Block:
    """Milliseconds of each call; of the yardstick, a fixed piece of work before them; and the
    processor seconds that the process, and those that it started for its runtime, have used so far."""

    milliseconds: tuple[float, ...]
    yardstick_ms: float
    cpu_seconds: float


@dataclass(frozen=True)
class Turns:
    """The blocks of one row: (rounds, block) milliseconds, and the yardstick of each round."""

    milliseconds: tuple[tuple[float, ...], ...]
    yardstick_ms: tuple[float, ...]


@dataclass(frozen=True)
class SettleRequest:
    """benchmarking.verdict: what the turns of all rows, of the same rounds, amount to."""

    rows: tuple[Turns, ...]
    seed: int


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class AllSettled:
    """In the order of the rows; `slowest_quarter` as in core.bench.Quiet."""

    rows: tuple[Settled, ...]
    slowest_quarter: float
