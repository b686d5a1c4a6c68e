"""Runs in the parent. Whether int8 really ran, and what it gives on a processor without VNNI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.data.images_task import Images
from resnet_edge.diagnosis.integers_task import EmulateOverflow, ReadExecution
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress

T = TypeVar("T")
IMAGES = 500
"""The most on which overflow is emulated, at 15 ms each for a ResNet-20: 4 % of changed answers are then
known to two percentage points either way."""


@dataclass(frozen=True)
class Integers:
    """What was found; `notes` say what could not be looked into."""

    executions: tuple[Execution, ...]
    risks: tuple[Int8Risk, ...]
    notes: tuple[str, ...]

    def beside(self, judged: Judgement) -> Judgement:
        """The same, told where the runtime left integers in float and said nothing: that costs time, and the
        answers are what they are."""
        row, ran = judged.parity, judged.among(self.executions)
        if ran is None or not ran.missing:
            return judged
        return replace(judged, parity=replace(row, reasons=(*row.reasons, _in_float(ran))))


def _in_float(ran: Execution) -> str:
    where = ""
    if ran.in_float:
        more = f" and {len(ran.in_float) - 1} more layers" if len(ran.in_float) > 1 else ""
        where = f" ({ran.in_float[0]}{more})"
    return (
        f"{ran.backend} computes {100 * ran.missing:.1f} % of what the file multiplies in integers in float"
        f"{where}, and says nothing"
    )


class IntegerChecks:
    """Looks at artifacts with integers, beside other work: begun by `start`, waited for by `integers`."""

    def __init__(
        self,
        workers: WorkerPool,
        pool: Executor,
        images: Images,
        preprocessing: Preprocessing | None,
        head: Head,
        on_progress: OnProgress,
    ) -> None:
        self._workers, self._pool, self._on_progress = workers, pool, on_progress
        self._images, self._preprocessing, self._head = images, preprocessing, head
        self._begun: Future[Integers] | None = None

    def start(self, judged: Sequence[Judgement], *, emulates: bool) -> None:
        """Begin with what was judged; `emulates`: a processor without VNNI, too."""
        integer = [one for one in judged if _has_integers(one)]
        if integer:
            self._begun = self._pool.submit(self._integers, integer, emulates)

    def integers(self) -> Integers:
        """Raises OutputError."""
        return self._begun.result() if self._begun is not None else Integers((), (), ())

    def _integers(self, judged: Sequence[Judgement], emulates: bool) -> Integers:
        names = dict.fromkeys(one.proof.target.host for one in judged)
        members = {name: self._workers.worker(_named(name), self._on_progress, where=name) for name in names}
        worker = members.get("") or self._workers.worker("integers", self._on_progress)
        notes: list[str] = []
        onnx = [one for one in judged if one.proof.job.format == "onnx"] if emulates else []
        once = {one.proof.artifact.path: one for one in onnx}
        try:
            ran = [
                _noted(partial(self._executed, members[one.proof.target.host], one), notes) for one in judged
            ]
            risks = [_noted(partial(self._risk, worker, one), notes) for one in once.values()]
        finally:
            for each in (worker, *members.values()):
                each.close()
        return Integers(tuple(filter(None, ran)), tuple(filter(None, risks)), tuple(notes))

    def _executed(self, worker: Worker, judged: Judgement) -> Execution | None:
        proof, row = judged.proof, judged.parity
        artifact, target = proof.artifact, proof.target
        request = ReadExecution(
            file=row.artifact,
            path=artifact.path,
            format=artifact.format,
            backend=target.runtime,
            device=target.device,
            beside=proof.beside,
        )
        execution = worker.run(request).execution
        return None if execution is None else replace(execution, backend=row.backend, device=row.device)

    def _risk(self, worker: Worker, judged: Judgement) -> Int8Risk | None:
        request = EmulateOverflow(
            file=judged.parity.artifact,
            path=judged.proof.artifact.path,
            images=self._images.images,
            labels=self._images.labels,
            n=min(IMAGES, self._images.n),
            preprocessing=self._preprocessing,
            head=self._head,
        )
        return worker.run(request).risk


def _named(host: str) -> str:
    return f"integers on {host}" if host else "integers"


def _has_integers(judged: Judgement) -> bool:
    scheme = scheme_of(judged.proof.job.scheme)
    return scheme.weights == "int8" and judged.proof.job.format in ("tflite", "onnx")


def _noted(step: Callable[[], T | None], notes: list[str]) -> T | None:
    """What a step finds; where it fails, a note: the verdicts do not depend on it."""
    try:
        return step()
    except OutputError:
        raise
    except ResnetEdgeError as error:
        notes.append(f"the integers of an artifact could not be looked into: {error}")
        return None
