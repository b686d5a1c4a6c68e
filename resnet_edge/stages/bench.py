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
from dataclasses import asdict, dataclass, field, replace

from resnet_edge import __version__
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.bench import Bench, Cold, Failed, Quiet, Timing, Unopened
from resnet_edge.core.errors import (
    ArtifactError,
    DeviceUnavailable,
    ResnetEdgeError,
    UsageError,
    WorkerFailed,
)
from resnet_edge.core.machine import busy_seconds, machine, usable_cores, versions
from resnet_edge.core.profile import Profile
from resnet_edge.core.progress import Progress, Report, silent
from resnet_edge.core.worker import log_folder
from resnet_edge.stages.bench_accuracy import accuracy_of
from resnet_edge.stages.bench_files import BenchFile
from resnet_edge.stages.bench_limits import Limits, find_limits
from resnet_edge.stages.bench_places import candidates
from resnet_edge.stages.bench_request import (
    AllSettled,
    Block,
    BlockRequest,
    Offers,
    OffersRequest,
    Opened,
    OpenRequest,
    SettleRequest,
    Turns,
)
from resnet_edge.stages.bench_why import why
from resnet_edge.stages.calls import LatencyTarget
from resnet_edge.stages.crew import Crew, Member

WORKER = "resnet_edge.stages.bench_worker"
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


@dataclass
class _Seat:
    """One artifact on one backend: its warm session, and its turns."""

    target: LatencyTarget
    member: Member
    opened: Opened
    cold: Cold
    blocks: list[Block] = field(default_factory=list)
    profile: Profile | None = None


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
        run.seat()
        limits = find_limits(crew, (seat.target for seat in run.seats), request.threads, run.cores)
        judged = run.take_turns()
        untold = run.watch() if request.profile else ()
        rows = tuple(run.timing(seat, number, judged, limits) for number, seat in enumerate(run.seats))
        hashes = {file.name: sha256_of(file.path) for file in request.files}
        return Bench(
            resnet_edge=__version__,
            versions=versions(),
            machine=machine(),
            command=request.command,
            seconds=round(time.monotonic() - began, 1),
            quiet=judged.quiet,
            rows=rows,
            failures=tuple(run.failures),
            unopened=tuple(run.unopened),
            notes=(*why(rows, limits.ceilings), *untold),
            ceilings=limits.ceilings,
            sha256=hashes,
            accuracy=accuracy_of(request.files, hashes),
        )


class _Run:
    """The state of one run: who takes turns, and what failed."""

    def __init__(self, request: BenchRequest, crew: Crew, tell: Report) -> None:
        self.request, self.crew, self.tell = request, crew, tell
        self.cores = tuple(_cores(request.threads))
        self.members: dict[str, Member] = {}
        self.offers: dict[str, Offers] = {}
        self.judge = crew.member("intervals", silent)
        self.seats: list[_Seat] = []
        self.failures: list[Failed] = []
        self.unopened: list[Unopened] = []

    def seat(self) -> None:
        """Open every artifact in the process of its backend, and in a fresh one of its own."""
        found = candidates(self.request.files, self.request.backends, self._offers)
        self.unopened += found.unopened
        refused: list[tuple[LatencyTarget, ResnetEdgeError]] = []
        absent: set[tuple[str, str]] = set()
        for number, target in enumerate(found.targets):
            place = target.backend, target.device
            if place in absent:
                continue
            self.tell(Progress("open", number, len(found.targets), f"{target.file} on {' '.join(place)}"))
            error = self._seated(target)
            if isinstance(error, DeviceUnavailable) and not found.named:
                absent.add(place)
                self.unopened.append(Unopened("", *place, str(error)))
            elif error is not None:
                refused.append((target, error))
        self.tell(Progress("open", len(found.targets), len(found.targets)))
        self._sort_out(refused, found.named)
        self._check_seats()

    def _seated(self, target: LatencyTarget) -> ResnetEdgeError | None:
        """Seat one target; why it has no seat, if it has none."""
        request = self._opening(target)
        fresh, member = self.crew.member("cold start", silent), self.members[target.backend]
        try:
            opened = member.call(f"{WORKER}:open_session", request, Opened)
            cold = fresh.call(f"{WORKER}:cold", request, Cold)
            fresh.dismiss()
        except ResnetEdgeError as error:
            fresh.dismiss()
            if member.gone:
                self._lost(member)
            return error
        self.seats.append(_Seat(target, member, opened, cold))
        return None

    def _sort_out(self, refused: Sequence[tuple[LatencyTarget, ResnetEdgeError]], named: bool) -> None:
        """Where all backends were to be tried, a file that one of them took is no failure elsewhere,
        unless a runtime broke over it."""
        taken = {seat.target.path for seat in self.seats}
        for target, error in refused:
            if named or target.path not in taken or isinstance(error, WorkerFailed):
                self._failed(target, error)
            else:
                self.unopened.append(Unopened(target.file, target.backend, target.device, str(error)))

    def take_turns(self) -> _Judged:
        """Rounds of shuffled turns until all is settled, or the budget is spent."""
        shuffle, began = random.Random(self.request.seed), time.monotonic()
        self._round(shuffle)
        load, look, done = _Load(), FIRST_LOOK, 1
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
        watched = [seat for seat in self.seats if self.offers[seat.target.backend].profiles]
        for number, seat in enumerate(watched):
            target = seat.target
            self.tell(Progress("profile", number, len(watched), f"{target.file} on {target.backend}"))
            member = self.crew.member("profile", silent)
            request = self._opening(target)
            try:
                seat.profile = member.call("resnet_edge.stages.bench_profile:profile", request, Profile)
            except ResnetEdgeError as error:
                self._failed(target, error)
            member.dismiss()
        self.tell(Progress("profile", len(watched), len(watched)))
        silent_ones = sorted({seat.target.backend for seat in self.seats if seat not in watched})
        return tuple(f"{name} does not tell what its operators take" for name in silent_ones)

    def timing(self, seat: _Seat, number: int, judged: _Judged, limits: Limits) -> Timing:
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

    def _opening(self, target: LatencyTarget) -> OpenRequest:
        return OpenRequest(target, self.request.threads, self.request.batch, self.cores)

    def _offers(self, name: str) -> Offers:
        if name not in self.members:
            self.members[name] = self.crew.member(name, self.tell)
        found = self.members[name].call(f"{WORKER}:offers", OffersRequest(name), Offers)
        self.offers[name] = found
        return found

    def _round(self, shuffle: random.Random) -> None:
        order = [*self.seats]
        shuffle.shuffle(order)
        for seat in order:
            if seat not in self.seats:
                continue  # its process died in this round
            request = BlockRequest(seat.opened.number)
            try:
                seat.blocks.append(seat.member.call(f"{WORKER}:block", request, Block))
            except ResnetEdgeError as error:
                self.seats.remove(seat)
                self._failed(seat.target, error)
                if seat.member.gone:
                    self._lost(seat.member)
                self._check_seats()

    def _lost(self, member: Member) -> None:
        """A process that died takes its other sessions with it: they are opened anew, and go on with
        blocks of the same size."""
        for seat in [seat for seat in self.seats if seat.member is member]:
            request = replace(self._opening(seat.target), calls=seat.opened.calls)
            try:
                seat.opened = member.call(f"{WORKER}:open_session", request, Opened)
            except ResnetEdgeError as error:
                self.seats.remove(seat)
                self._failed(seat.target, error)

    def _failed(self, target: LatencyTarget, error: ResnetEdgeError) -> None:
        self.failures.append(Failed(target.file, target.backend, target.device, str(error)))
        what = f"{target.file} on {target.backend} {target.device}"
        self.tell(Progress(what, note=f"{what}: {error}", line=True))

    def _check_seats(self) -> None:
        if not self.seats:
            first = self.failures[0]
            raise ArtifactError(
                f"nothing could be timed: {first.artifact} on {first.backend}: {first.message}"
            )

    def _judged(self, others: float | None) -> _Judged:
        rounds = min(len(seat.blocks) for seat in self.seats)
        turns = tuple(_turns(seat.blocks[-rounds:]) for seat in self.seats)
        request = SettleRequest(turns, self.request.seed)
        found = self.judge.call("resnet_edge.stages.bench_verdict:settle", request, AllSettled)
        loaded = []
        if others is not None and others > LOADED:
            loaded.append(f"other processes kept {others:.1f} cores busy")
        if found.slowest_quarter > PACE:
            slower = 100 * (found.slowest_quarter - 1)
            loaded.append(f"the machine itself changed its pace by {slower:.0f} % (heat, or its neighbours)")
        return _Judged(found, Quiet(others, found.slowest_quarter), tuple(loaded))

    def _own_seconds(self) -> float:
        """Processor seconds of this process and of those that take turns."""
        workers = sum(
            max((b.cpu_seconds for s in self.seats if s.member is member for b in s.blocks[-1:]), default=0.0)
            for member in self.members.values()
        )
        return time.process_time() + workers

    def _tell_turns(self, done: int, elapsed: float) -> None:
        total = max(1, round(10 * self.request.budget_seconds))
        self.tell(Progress("turns", min(round(10 * elapsed), total - 1), total, f"round {done}"))


class _Load:
    """How many cores others keep busy while turns are taken (not while intervals are computed)."""

    def __init__(self) -> None:
        self._seconds = self._others = 0.0
        self._known = True
        self._start: tuple[float, float | None, float] = (0.0, None, 0.0)

    def begins(self, own: float) -> None:
        """`own`: processor seconds of all processes of the run up to now."""
        self._start = (time.monotonic(), busy_seconds(), own)

    def ends(self, own: float) -> None:
        began, busy, before = self._start
        now = busy_seconds()
        if busy is None or now is None:
            self._known = False
            return
        self._seconds += time.monotonic() - began
        self._others += (now - busy) - (own - before)

    @property
    def others(self) -> float | None:
        """Cores, on average; None where the system does not tell."""
        return max(0.0, self._others) / self._seconds if self._known and self._seconds else None


def _turns(blocks: Sequence[Block]) -> Turns:
    return Turns(tuple(b.milliseconds for b in blocks), tuple(b.yardstick_ms for b in blocks))


def _cores(threads: int) -> list[int]:
    """The cores that all runtimes are kept on."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]
