"""Runs in a worker. What a runtime computes an artifact with, beside what the file states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnet_edge.core.results.execution import Execution, OperatorCount, OperatorRun
from resnet_edge.diagnosis.integers_task import Executed, ReadExecution
from resnet_edge.evaluation.predict import load_backend
from resnet_edge.graph.macs import stated_in_integers, work_of
from resnet_edge.workers.progress import OnProgress


def executed(request: ReadExecution, on_progress: OnProgress) -> Executed:
    """Raises UnknownName, MissingDependency, DeviceUnavailable, ArtifactError."""
    backend: Any = load_backend(request.backend, request.format, request.path)
    ran = backend.execution(Path(request.path), request.device) if hasattr(backend, "execution") else None
    return Executed(None if ran is None else _beside_the_file(request, ran))


def _beside_the_file(request: ReadExecution, ran: Sequence[OperatorRun]) -> Execution:
    path = Path(request.path)
    work, stated = work_of(path), stated_in_integers(path)
    integer = sum(each.macs for each in ran if each.integer)
    real = [each.layer or each.op for each in ran if each.macs and not each.integer]
    return Execution(
        artifact=request.file,
        backend=request.backend,
        device=request.device,
        macs=work.float_macs + work.int8_macs,
        stated_int8_macs=stated,
        int8_macs=integer,
        operators=_census(ran),
        in_float=tuple(dict.fromkeys(real)) if integer < stated else (),
    )


def _census(ran: Sequence[OperatorRun]) -> tuple[OperatorCount, ...]:
    counts: Counter[tuple[str, str, str]] = Counter()
    work: Counter[tuple[str, str, str]] = Counter()
    for each in ran:
        key = each.op, each.precision, each.by
        counts[key] += 1
        work[key] += each.macs
    rows = [
        OperatorCount(op=op, precision=precision, by=by, count=count, macs=work[op, precision, by])
        for (op, precision, by), count in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.macs, -row.count, row.op, row.precision, row.by)))
