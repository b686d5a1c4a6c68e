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
from contextlib import suppress
from dataclasses import asdict, dataclass

from resnet_edge import __version__
from resnet_edge.benchmarking.accuracy import accuracy_of, proved_places
from resnet_edge.benchmarking.candidates import Place
from resnet_edge.benchmarking.contenders import Contender, Contenders
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.hints import hints
from resnet_edge.benchmarking.limits import Limits, find_limits
from resnet_edge.benchmarking.machine_load import MachineLoad
from resnet_edge.benchmarking.recommend import recommended
from resnet_edge.benchmarking.task import (
    AllSettled,
    Block,
    CountBytes,
    ProfileOperators,
    RowBlocks,
    SettleRounds,
)
from resnet_edge.benchmarking.wall_time import WallTime
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.backend_name import option_of
from resnet_edge.core.errors import (
    ArtifactError,
    MissingDependency,
    ResnetEdgeError,
    UsageError,
    WorkerFailed,
)
from resnet_edge.core.machine import celsius, clock_mhz, machine, usable_cores, versions
from resnet_edge.core.results.bench import Bench, Quiet, Timing
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.process import log_folder
from resnet_edge.workers.progress import OnProgress, Progress, silent

FIRST_LOOK = 20
GROWTH = 1.25
"""From one look at the intervals to the next, by how much the rounds grow."""
LOADED = 0.1
"""Cores that others may keep busy before the run says that the machine was under load."""
PACE = 1.05
LIMITS_SECONDS = 4.0
"""What limits take to be measured: 3.3 s on two busy cores, of seven files. Rounds get at least as long."""


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """Which files, on which backends (`name` or `name:device`; none: where the
    report of their folder proved them, else on all that open here), with how
    many threads and images at a time. `budget_seconds` is for all of it, from the first process on, but for
    what cannot be left out: each is opened, and timed in two rounds. `profile`: tell what operators take,
    too, which comes after that. `accept_noise`: figures that may not be repeatable are let pass."""

    files: tuple[BenchFile, ...]
    backends: tuple[str, ...]
    threads: int = 1
    batch: int = 1
    budget_seconds: float = 60.0
    seed: int = 0
    profile: bool = False
    accept_noise: bool = False
    command: str = ""


@dataclass(frozen=True)
class _Settlement:
    rows: AllSettled
    quiet: Quiet
    loaded: tuple[str, ...]

    @property
    def steady(self) -> bool:
        return not self.loaded and not any(row.unsteady for row in self.rows.rows)


def bench(request: BenchRequest, on_progress: OnProgress) -> Bench:
    """Time everything that opens. What breaks becomes a Failed row, and the others stay.

    Raises UsageError where no backend asked for opens a file or there are fewer cores than
    threads, MissingDependency, ArtifactError where nothing at all could be timed.
    """
    if request.threads > usable_cores():
        raise UsageError(f"--threads {request.threads}: there are {usable_cores()} cores; give fewer")
    wall = WallTime(request.budget_seconds, on_progress)
    hashes = {file.name: sha256_of(file.path) for file in request.files}
    accuracy = accuracy_of(request.files, hashes)
    proved = proved_places(request.files, accuracy)
    with log_folder() as logs, WorkerPool(logs) as workers:
        run = _Run(request, workers, wall, on_progress)
        run.fill(proved)
        contenders = run.contenders.taken
        sizes, limits = run.sizes(), run.limits()
        settlement = run.interleave_rounds()
        unprofiled = run.watch() if request.profile else ()
        rows = tuple(
            run.timing(contender, number, settlement, limits) for number, contender in enumerate(contenders)
        )
        return Bench(
            resnet_edge=__version__,
            versions=versions(),
            machine=machine(),
            command=request.command,
            seconds=round(wall.elapsed(), 1),
            quiet=settlement.quiet,
            rows=rows,
            failures=tuple(run.contenders.failures),
            unopened=tuple(run.contenders.unopened),
            notes=(
                *run.contenders.notes,
                *wall.notes,
                *run.notes,
                *hints(rows, limits.ceilings),
                *unprofiled,
            ),
            ceilings=limits.ceilings,
            sha256=hashes,
            accuracy=accuracy,
            size_bytes=sizes,
            recommended=recommended(rows, accuracy.proofs, sizes),
            noise_accepted=request.accept_noise,
        )


class _Run:
    """The state of one run."""

    def __init__(
        self, request: BenchRequest, workers: WorkerPool, wall: WallTime, on_progress: OnProgress
    ) -> None:
        self.request, self.workers, self.on_progress = request, workers, on_progress
        self.wall, self.notes = wall, list[str]()
        self.cores = tuple(_cores(request.threads))
        self.contenders = Contenders(workers, request.threads, request.batch, self.cores, wall, on_progress)
        self.settler = workers.worker("intervals", silent)
        self.settling = 0.0
        self.clock, self.heat = clock_mhz(), celsius()

    def fill(self, proved: frozenset[Place]) -> None:
        """Open everything where it was asked for, or else where it was proved; that is a note."""
        self.contenders.fill(self.request.files, self.request.backends, proved)
        places = {(one.target.backend, one.target.device) for one in self.contenders.taken}
        if proved & places and not self.request.backends:
            timed = ", ".join(sorted(option_of(*place) for place in proved & places))
            note = f"timed where the folder's report proved the files, on {timed}; --backends names others"
            self.notes.append(f"{note} (`resnet-edge doctor` lists what is here)")

    def sizes(self) -> dict[str, int]:
        """Bytes of each artifact, by its name; of ONNX with the files that hold its weights, where the onnx
        package is here to tell which."""
        sizes = {file.name: file.path.stat().st_size for file in self.request.files if not file.is_keras}
        worker = self.workers.worker("sizes", silent)
        for file in self.request.files:
            if file.format == "onnx":
                with suppress(ArtifactError, MissingDependency, WorkerFailed):
                    sizes[file.name] = worker.run(CountBytes(path=str(file.path))).size_bytes
        worker.close()
        return sizes

    def limits(self) -> Limits:
        """What the cores can do at most, unless there is only time for figures."""
        if self.wall.left() < 2 * LIMITS_SECONDS:
            self.notes.append("the limits of the machine were not measured: that takes a longer --budget")
            return Limits(None, {})
        self.on_progress(Progress(step="limits", note="what the cores can do at most"))
        targets = [contender.target for contender in self.contenders.taken]
        limits = find_limits(self.workers, targets, self.request.threads, self.cores)
        self.on_progress(Progress(step="limits", done=1, total=1))
        return limits

    def interleave_rounds(self) -> _Settlement:
        """Rounds of shuffled turns until all is settled, or no further one fits the budget."""
        shuffle, began = random.Random(self.request.seed), self.wall.elapsed()
        self._round(shuffle)
        load, look, done = MachineLoad(), FIRST_LOOK, 1
        while True:
            load.begins(self._own_seconds())
            self._round(shuffle)
            load.ends(self._own_seconds())
            done += 1
            each = (self.wall.elapsed() - began) / done
            spent = self.wall.left() < each + self.settling
            if done >= look or spent:
                settlement = self._settle(load.others)
                if settlement.steady or spent:
                    self.on_progress(Progress(step="rounds", done=1, total=1, note=f"{done} rounds"))
                    return settlement
                look = max(done + 1, round(GROWTH * done))
            self._report_rounds(done, began)

    def watch(self) -> tuple[str, ...]:
        """The operators of every artifact, each in a process of its own; which backends do not tell."""
        contenders = self.contenders
        watched = [
            contender
            for contender in contenders.taken
            if contenders.offers[contender.target.backend].profiles
        ]
        for number, contender in enumerate(watched):
            target = contender.target
            self.on_progress(
                Progress(
                    step="profile", done=number, total=len(watched), note=f"{target.file} on {target.backend}"
                )
            )
            worker = self.workers.worker("profile", silent, backends_grant([target.backend]))
            opening = contenders.opening(target)
            try:
                contender.profile = worker.run(ProfileOperators(opening=opening))
            except ResnetEdgeError as error:
                contenders.failed(target, error)
            worker.close()
        self.on_progress(Progress(step="profile", done=len(watched), total=len(watched)))
        silent_ones = sorted(
            {contender.target.backend for contender in contenders.taken if contender not in watched}
        )
        return tuple(f"{name} gives no time for each operator" for name in silent_ones)

    def timing(self, contender: Contender, number: int, settlement: _Settlement, limits: Limits) -> Timing:
        """The row of a contender."""
        settled, target = settlement.rows.rows[number], contender.target
        facts = asdict(settled)
        reasons = (*facts.pop("unsteady"), *settlement.loaded)
        return Timing(
            artifact=target.file,
            format=target.format,
            scheme=target.scheme or None,
            backend=target.backend,
            device=contender.opened.device,
            threads=self.request.threads,
            batch=self.request.batch,
            rounds=len(contender.blocks),
            per_second=1000 * self.request.batch / settled.p50_ms,
            cold=contender.cold,
            verdict="inconclusive" if reasons else "steady",
            reasons=reasons,
            profile=contender.profile,
            roofline=limits.of(target, contender.opened.device, self.request.batch, settled.p50_ms),
            **facts,
        )

    def _round(self, shuffle: random.Random) -> None:
        order = [*self.contenders.taken]
        shuffle.shuffle(order)
        for contender in order:
            self.contenders.time_block(contender)

    def _settle(self, others: float | None) -> _Settlement:
        rounds = min(len(contender.blocks) for contender in self.contenders.taken)
        rows = tuple(_row_blocks(contender.blocks[-rounds:]) for contender in self.contenders.taken)
        request = SettleRounds(rows=rows, seed=self.request.seed)
        before = self.wall.elapsed()
        measured = self.settler.run(request)
        self.settling = self.wall.elapsed() - before
        loaded = []
        if others is not None and others > LOADED:
            loaded.append(f"other processes kept {others:.1f} cores busy")
        if measured.slowest_quarter > PACE:
            slower = 100 * (measured.slowest_quarter - 1)
            loaded.append(
                f"the machine itself changed its pace by {slower:.0f} % ({_why(self.clock, self.heat)})"
            )
        quiet = Quiet(
            others=others,
            slowest_quarter=measured.slowest_quarter,
            clock_mhz=(self.clock, clock_mhz()),
            celsius=(self.heat, celsius()),
        )
        return _Settlement(measured, quiet, tuple(loaded))

    def _own_seconds(self) -> float:
        """Processor seconds of this process and of the contenders."""
        return time.process_time() + self.contenders.processor_seconds()

    def _report_rounds(self, done: int, began: float) -> None:
        """In tenths of the seconds that there are for them."""
        spent = self.wall.elapsed() - began
        total = max(1, round(10 * (spent + max(0.0, self.wall.left()))))
        tenths = min(round(10 * spent), total - 1)
        self.on_progress(Progress(step="rounds", done=tenths, total=total, note=f"round {done}"))


def _why(clock: float | None, heat: float | None) -> str:
    """What is behind it, by what was before the rounds and is now."""
    ways = [
        f"{name} {before:,.0f} and then {after:,.0f} {unit}"
        for name, before, after, unit in (("clock", clock, clock_mhz(), "MHz"), ("", heat, celsius(), "°C"))
        if before is not None and after is not None and round(before) != round(after)
    ]
    return ", ".join(way.strip() for way in ways) or "heat, or its neighbours"


def _row_blocks(blocks: Sequence[Block]) -> RowBlocks:
    return RowBlocks(tuple(b.milliseconds for b in blocks), tuple(b.yardstick_ms for b in blocks))


def _cores(threads: int) -> list[int]:
    """The cores that all runtimes are kept on."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]
