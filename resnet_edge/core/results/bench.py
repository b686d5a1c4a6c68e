"""What `resnet-edge bench` finds out, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from resnet_edge.core.backend_name import split_host
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.core.results.profile import Profile
from resnet_edge.core.roofline import Ceilings, Roofline

Interval = tuple[float, float]
Steadiness = Literal["steady", "inconclusive"]


@dataclass(frozen=True)
class Cold:
    """What a fresh process went through that opened one artifact, after importing the runtime.

    `open_ms`: until the session was there; `first_ms`: its first inference; `peak_bytes`: by how
    much the largest resident set of the process was above that before opening (None: the system
    does not tell).
    """

    open_ms: float
    first_ms: float
    peak_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One artifact on one backend and device, timed in turns with all the others.

    Milliseconds of blocking calls on a batch, once it is warm, with a 95 % bootstrap interval of
    the median over rounds. `per_second` is images at the median. `times_fastest` is its latency
    over that of the fastest of the run, round by round, with its interval. `rank` counts the rows
    whose interval lies wholly below this one's, plus one: rows that cannot be told apart share it.
    `profile`: what its operators take, where that was asked for and the runtime tells. `roofline`: how
    near it is to what the cores can do (None: on no CPU, or its work or a ceiling is not known).
    """

    artifact: str
    format: str
    scheme: str | None
    backend: str
    device: str
    threads: int
    batch: int
    n: int
    rounds: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p50_ci95_ms: Interval
    per_second: float
    times_fastest: float
    times_fastest_ci95: Interval
    rank: int
    cold: Cold
    verdict: Steadiness
    reasons: tuple[str, ...] = ()
    profile: Profile | None = None
    roofline: Roofline | None = None


def is_of_one_network(one: Timing, other: Timing) -> bool:
    """Whether two artifacts are named as `convert` names those of one model: alike but for scheme and format.
    How long another network takes says nothing of what a scheme gains."""
    return _network(one) == _network(other)


def _network(row: Timing) -> str:
    return row.artifact.removesuffix(f".{row.scheme}.{row.format}")


@dataclass(frozen=True)
class Failed:
    """What could not be timed, and why; the other rows stay."""

    artifact: str
    backend: str
    device: str
    message: str


@dataclass(frozen=True)
class Unopened:
    """What was not asked for by name and is not here, or does not open. `artifact` and `device` are
    empty where it is so for all of them."""

    artifact: str
    backend: str
    device: str
    message: str


@dataclass(frozen=True)
class Accuracy:
    """What `convert` proved of the very files that were timed, known again by their SHA-256.

    `proofs` name the files as the rows do; `references` are those that are the Keras model which the
    others were compared with.
    """

    proofs: tuple[Parity, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnprovedRow:
    """What is faster than the recommended file, and not proved where it was timed: on `n` images (0: on
    none), and `samples_needed` would decide it (None: not known, or it failed)."""

    artifact: str
    backend: str
    device: str
    p50_ms: float
    verdict: Verdict | None
    n: int
    samples_needed: int | None


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The file to ship of those that were timed: the fastest that was proved where it was timed, and the
    smallest of those that are as fast.

    `n`, `top1` and `agreement` are of its proof. `baseline` is the float32 file that it is compared with: of
    the same format at the same place, else the fastest ("": none was timed, or it is that itself);
    `speed_up` is that file's median latency over its own, and `faster` whether their intervals lie apart.
    `unproved`: what would be faster still, fastest first.
    """

    artifact: str
    backend: str
    device: str
    p50_ms: float
    size_bytes: int | None
    n: int
    top1: float | None
    agreement: float | None
    baseline: str
    speed_up: float | None
    faster: bool
    steady: bool
    unproved: tuple[UnprovedRow, ...] = ()


@dataclass(frozen=True)
class Quiet:
    """How quiet the machine was while it was timed.

    `others` is how many cores other processes kept busy, on average (None: the system does not
    tell). `slowest_quarter` is the median time of a fixed piece of work in the slowest quarter of
    the run over that in the fastest: above 1.05 the machine itself changed pace (heat, frequency,
    neighbours). `clock_mhz` and `celsius`: the processor's clock and the hottest sensor before the rounds and
    after them, where the system tells.
    """

    others: float | None
    slowest_quarter: float
    clock_mhz: tuple[float | None, float | None] = (None, None)
    celsius: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, kw_only=True)
class HostBench:
    """What a bench says of another machine, whose rows are called `backend@host`: as `Bench` does of this
    one."""

    machine: dict[str, Any]
    versions: dict[str, str]
    seconds: float
    quiet: Quiet
    ceilings: Ceilings | None
    recommended: Recommendation | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The document that `resnet-edge bench --json` prints. `size_bytes` is of each artifact's
    file, by name; `recommended` is None where nothing that was timed is known to have been proved. `hosts`
    are the other machines by name; where nothing was timed here, `quiet` is of the first of them.
    `noise_accepted`: figures that may not be repeatable are let pass; their rows say so as ever."""

    resnet_edge: str
    versions: dict[str, str]
    machine: dict[str, Any]
    command: str
    seconds: float
    quiet: Quiet
    rows: tuple[Timing, ...]
    failures: tuple[Failed, ...] = ()
    unopened: tuple[Unopened, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    ceilings: Ceilings | None = None
    accuracy: Accuracy = Accuracy()
    size_bytes: dict[str, int] = field(default_factory=dict)
    recommended: Recommendation | None = None
    hosts: dict[str, HostBench] = field(default_factory=dict)
    noise_accepted: bool = False
    kind: Literal["bench"] = "bench"
    schema: int = 1

    @property
    def conclusive(self) -> bool:
        """Every row holds when repeated."""
        return all(row.verdict == "steady" for row in self.rows)

    def by_machine(self) -> dict[str, Bench]:
        """One for each machine that was timed, by its name; this one is "" and first. What failed on one that
        was not reached is told with the first, and so is what is to be said of all."""
        parts: dict[str, Bench] = {}
        reached = {"", *self.hosts}
        lost = tuple(one for one in self.failures if split_host(one.backend)[1] not in reached)
        for host in ("", *self.hosts):
            rows = tuple(row for row in self.rows if split_host(row.backend)[1] == host)
            failures = tuple(one for one in self.failures if split_host(one.backend)[1] == host)
            if rows or failures or not self.hosts:
                part = replace(self, rows=rows, failures=failures, **self._facts_of(host))
                if not parts:
                    notes = (*self.notes, *part.notes) if host else part.notes
                    part = replace(part, failures=(*failures, *lost), notes=notes)
                parts[host] = part
        return parts

    def _facts_of(self, host: str) -> dict[str, Any]:
        if not host:
            return {"hosts": {}}
        there = self.hosts[host]
        return {
            "machine": there.machine,
            "versions": there.versions,
            "seconds": there.seconds,
            "quiet": there.quiet,
            "ceilings": there.ceilings,
            "recommended": there.recommended,
            "unopened": (),
            "notes": there.notes,
            "hosts": {},
        }
