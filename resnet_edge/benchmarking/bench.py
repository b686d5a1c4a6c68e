"""Runs in the parent. Latency of artifacts over backends, in turns, until it holds when repeated.

    files ─► targets ─► cold start, a fresh process each ─► one warm process per backend
                                                             └─► rounds of shuffled turns ─► rows

One process per backend, because libraries disturb each other (thread pools, allocators); all on
the same cores with as many threads; one works while the others sleep.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from resnet_edge import __version__
from resnet_edge.benchmarking.accuracy import accuracy_of
from resnet_edge.benchmarking.contenders import Seat, Seats
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.hints import why
from resnet_edge.benchmarking.limits import Limits, find_limits
from resnet_edge.benchmarking.machine_load import MachineLoad
from resnet_edge.benchmarking.request import AllSettled, Block, ProfileOperators, SettleRounds, Turns
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.bench import Bench, Quiet, Timing
from resnet_edge.core.errors import ResnetEdgeError, UsageError
from resnet_edge.core.machine import machine, usable_cores, versions
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Crew
from resnet_edge.workers.progress import Progress, Report, silent
from resnet_edge.workers.worker import log_folder

FIRST_LOOK = 20
GROWTH = 1.25
"""From one look at the intervals to the next, by how much the rounds grow."""
LOADED = 0.1
"""Cores that others may keep busy before the run says that the machine was under load."""
PACE = 1.05


@dataclass(frozen=True)
class BenchRequest:
    """Which files, on which backends (`name` or `name:device`; none: on all that open here), with how
    many threads and images at a time, and for how long at most they take turns. `profile`: tell what
    operators take, too."""

    files: tuple[BenchFile, ...]
    backends: tuple[str, ...]
    threads: int = 1
    batch: int = 1
    budget_seconds: float = 60.0
    seed: int = 0
    profile: bool = False
    command: str = ""


@dataclass(frozen=True)
class _Judged:
    rows: AllSettled
    quiet: Quiet
    loaded: tuple[str, ...]

    @property
    def steady(self) -> bool:
        return not self.loaded and not any(row.unsteady for row in self.rows.rows)


def bench(request: BenchRequest, tell: Report) -> Bench:
    """Time everything that opens. What breaks becomes a Failed row, and the others stay.

    Raises UsageError where no backend asked for opens a file or there are fewer cores than
    threads, MissingDependency, ArtifactError where nothing at all could be timed.
    """
    if request.threads > usable_cores():
        raise UsageError(f"--threads {request.threads}: there are {usable_cores()} cores; give fewer")
    began = time.monotonic()
    with log_folder() as logs, Crew(logs) as crew:
        run = _Run(request, crew, tell)
        run.seats.fill(request.files, request.backends)
        seats = run.seats.taken
        limits = find_limits(crew, [seat.target for seat in seats], request.threads, run.cores)
        judged = run.take_turns()
        untold = run.watch() if request.profile else ()
        rows = tuple(run.timing(seat, number, judged, limits) for number, seat in enumerate(seats))
        hashes = {file.name: sha256_of(file.path) for file in request.files}
        return Bench(
            resnet_edge=__version__,
            versions=versions(),
            machine=machine(),
            command=request.command,
            seconds=round(time.monotonic() - began, 1),
            quiet=judged.quiet,
            rows=rows,
            failures=tuple(run.seats.failures),
            unopened=tuple(run.seats.unopened),
            notes=(*why(rows, limits.ceilings), *untold),
            ceilings=limits.ceilings,
            sha256=hashes,
            accuracy=accuracy_of(request.files, hashes),
        )


class _Run:
    """The state of one run."""

    def __init__(self, request: BenchRequest, crew: Crew, tell: Report) -> None:
        self.request, self.crew, self.tell = request, crew, tell
        self.cores = tuple(_cores(request.threads))
        self.seats = Seats(crew, request.threads, request.batch, self.cores, tell)
        self.judge = crew.member("intervals", silent)

    def take_turns(self) -> _Judged:
        """Rounds of shuffled turns until all is settled, or the budget is spent."""
        shuffle, began = random.Random(self.request.seed), time.monotonic()
        self._round(shuffle)
        load, look, done = MachineLoad(), FIRST_LOOK, 1
        while True:
            load.begins(self._own_seconds())
            self._round(shuffle)
            load.ends(self._own_seconds())
            done += 1
            elapsed = time.monotonic() - began
            spent = elapsed >= self.request.budget_seconds
            if done >= look or spent:
                judged = self._judged(load.others)
                if judged.steady or spent:
                    self.tell(Progress("turns", 1, 1, f"{done} rounds"))
                    return judged
                look = max(done + 1, round(GROWTH * done))
            self._tell_turns(done, elapsed)

    def watch(self) -> tuple[str, ...]:
        """The operators of every artifact, each in a process of its own; which backends do not tell."""
        seats = self.seats
        watched = [seat for seat in seats.taken if seats.offers[seat.target.backend].profiles]
        for number, seat in enumerate(watched):
            target = seat.target
            self.tell(Progress("profile", number, len(watched), f"{target.file} on {target.backend}"))
            member = self.crew.member("profile", silent, backends_grant([target.backend]))
            opening = seats.opening(target)
            try:
                seat.profile = member.run(ProfileOperators(opening=opening))
            except ResnetEdgeError as error:
                seats.failed(target, error)
            member.dismiss()
        self.tell(Progress("profile", len(watched), len(watched)))
        silent_ones = sorted({seat.target.backend for seat in seats.taken if seat not in watched})
        return tuple(f"{name} does not tell what its operators take" for name in silent_ones)

    def timing(self, seat: Seat, number: int, judged: _Judged, limits: Limits) -> Timing:
        """The row of a seat."""
        settled, target = judged.rows.rows[number], seat.target
        facts = asdict(settled)
        reasons = (*facts.pop("unsteady"), *judged.loaded)
        return Timing(
            artifact=target.file,
            format=target.format,
            scheme=target.scheme or None,
            backend=target.backend,
            device=seat.opened.device,
            threads=self.request.threads,
            batch=self.request.batch,
            rounds=len(seat.blocks),
            per_second=1000 * self.request.batch / settled.p50_ms,
            cold=seat.cold,
            verdict="inconclusive" if reasons else "steady",
            reasons=reasons,
            profile=seat.profile,
            roofline=limits.of(target, seat.opened.device, self.request.batch, settled.p50_ms),
            **facts,
        )

    def _round(self, shuffle: random.Random) -> None:
        order = [*self.seats.taken]
        shuffle.shuffle(order)
        for seat in order:
            self.seats.turn(seat)

    def _judged(self, others: float | None) -> _Judged:
        rounds = min(len(seat.blocks) for seat in self.seats.taken)
        turns = tuple(_turns(seat.blocks[-rounds:]) for seat in self.seats.taken)
        request = SettleRounds(turns, self.request.seed)
        found = self.judge.run(request)
        loaded = []
        if others is not None and others > LOADED:
            loaded.append(f"other processes kept {others:.1f} cores busy")
        if found.slowest_quarter > PACE:
            slower = 100 * (found.slowest_quarter - 1)
            loaded.append(f"the machine itself changed its pace by {slower:.0f} % (heat, or its neighbours)")
        return _Judged(found, Quiet(others, found.slowest_quarter), tuple(loaded))

    def _own_seconds(self) -> float:
        """Processor seconds of this process and of those that take turns."""
        return time.process_time() + self.seats.processor_seconds()

    def _tell_turns(self, done: int, elapsed: float) -> None:
        total = max(1, round(10 * self.request.budget_seconds))
        self.tell(Progress("turns", min(round(10 * elapsed), total - 1), total, f"round {done}"))


def _turns(blocks: Sequence[Block]) -> Turns:
    return Turns(tuple(b.milliseconds for b in blocks), tuple(b.yardstick_ms for b in blocks))


def _cores(threads: int) -> list[int]:
    """The cores that all runtimes are kept on."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]
