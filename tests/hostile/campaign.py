"""Gives changed files to readers, in one warm worker, and tells what was out of the contract."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ResnetEdgeError, WorkerFailed
from resnet_edge.workers.process import WorkerProcess
from tests.hostile.cases import FOLDERS, KINDS, written
from tests.hostile.mutations import Draw
from tests.hostile.readers import Read, Reading
from tests.hostile.verdicts import fault

ALL = (*KINDS, *FOLDERS)
CPU_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`path` was given to the reader of `kind`, which said `message`: `what` is wrong with that."""

    kind: str
    what: str
    message: str
    path: Path

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}: {self.message}"


class Campaign:
    """Readers in a worker that is shut in as those of the commands are. `place` is emptied for every
    file."""

    def __init__(self, seeds: Path, place: Path) -> None:
        self.seeds, self.place = seeds, place
        self.taken = self.refused = self.died = 0
        self.said = ""
        self._log = place.with_name("worker.log")
        self._worker: WorkerProcess | None = None
        self._warm: set[str] = set()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end()

    def tried(self, draw: Draw, kind: str) -> Finding | None:
        """One file of that kind; None where what came of it is as it must be."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        return self.read(kind, written(draw, kind, self.seeds, self.place))

    def read(self, kind: str, path: Path) -> Finding | None:
        """The same for a file that is there already."""
        worker, before = self._started(kind), _names(self.place)
        peak, cpu = worker.peak_bytes, worker.cpu_seconds
        message, wrong = "", None
        try:
            worker.call("tests.hostile.readers:read", Reading(kind=kind, path=str(path)), Read)
            self.taken += 1
        except ResnetEdgeError as error:
            self.refused += 1
            self.said = message = str(error)
            wrong = fault(message, path.name, str(path))
            if isinstance(error, WorkerFailed) and " broke: " not in message:
                self.died += 1  # in a library; the commands are told so, and go on or end by themselves
                self._end()
        used, took = worker.peak_bytes - peak, worker.cpu_seconds - cpu
        if used > PROMISE:
            self._end()
            # what is taken may need as much, and is held against the free memory
            wrong = wrong or (f"it took {used:,} bytes" if message else None)
        if took > CPU_SECONDS:
            wrong = wrong or f"it took {took:.0f} s"
        if _names(self.place) != before:
            wrong = "it wrote a file"
        return None if wrong is None else Finding(kind=kind, what=wrong, message=message, path=path)

    def _started(self, kind: str) -> WorkerProcess:
        """A worker that has read a seed of that kind, so that what it takes later is not that of imports."""
        if self._worker is None:
            self._worker = WorkerProcess("reader", self._log, {"PYTHONPATH": str(Path(__file__).parents[2])})
            self._warm = set()
        if kind not in self._warm:
            self._warm.add(kind)
            self._worker.call("tests.hostile.readers:read", self._seed(kind), Read)
        return self._worker

    def _seed(self, kind: str) -> Reading:
        name = FOLDERS[kind][0] if kind in FOLDERS else KINDS[kind].seeds[0]
        return Reading(kind=kind, path=str(self.seeds / name))

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _names(folder: Path) -> list[str]:
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
