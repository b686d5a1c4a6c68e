"""Tests of conversion.run_log: what a run survives, and what it tells."""

from __future__ import annotations

import pytest

from resnet_edge.conversion.run_log import RunLog
from resnet_edge.core.errors import ArtifactError, OutputError, ResnetEdgeError, WorkerFailed
from resnet_edge.core.results.report import Failure
from resnet_edge.workers.progress import Progress


def raising(error: Exception) -> None:
    raise error


def test_what_works_leaves_no_trace() -> None:
    progress: list[Progress] = []
    log = RunLog(progress.append)
    assert log.attempt("int8", lambda: 7) == 7
    assert (log.failures, log.notes, progress) == ([], [], [])


def test_a_failure_is_noted_told_and_survived() -> None:
    progress: list[Progress] = []
    log = RunLog(progress.append)
    assert log.attempt("int8 onnx", lambda: raising(ArtifactError("it broke"))) is None
    assert log.failures == [Failure("int8 onnx", "it broke")]
    assert progress == [Progress(step="int8 onnx", note="int8 onnx: it broke", line=True)]


@pytest.mark.parametrize(
    ("error", "survives"),
    [
        (OutputError("the disk is full"), ResnetEdgeError),
        (OutputError("the disk is full"), OutputError),
        (ArtifactError("it broke"), WorkerFailed),
        (ZeroDivisionError("a bug"), ResnetEdgeError),
    ],
)
def test_a_full_disk_and_what_was_not_foreseen_end_the_run(
    error: Exception, survives: type[ResnetEdgeError]
) -> None:
    progress: list[Progress] = []
    log = RunLog(progress.append)
    with pytest.raises(type(error)):
        log.attempt("int8", lambda: raising(error), survives)
    assert (log.failures, progress) == ([], [])


def test_a_note_is_told_at_once() -> None:
    progress: list[Progress] = []
    log = RunLog(progress.append)
    log.note("plan", "two layers stay in float")
    assert log.notes == ["two layers stay in float"]
    assert progress == [Progress(step="plan", note="note: two layers stay in float", line=True)]
