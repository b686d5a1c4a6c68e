"""Tests of workers.child, the other end: what a call becomes, and how its errors cross."""

from __future__ import annotations

import errno
import os

import msgspec
import pytest

from resnet_edge.core.errors import (
    DataError,
    MissingDependency,
    OutputError,
    WorkerFailed,
)
from resnet_edge.workers.child import _as_message, _encode
from resnet_edge.workers.process import Message, WorkerProcess
from tests.workers.probing import Reply, log_of


def test_numpy_scalars_cross(worker: WorkerProcess) -> None:
    assert worker.call("probes:numpy_scalars", {}, Reply) == {"text": "x", "number": 0.5, "pid": 7}


def test_an_error_crosses_as_its_class_and_the_worker_goes_on(worker: WorkerProcess) -> None:
    with pytest.raises(DataError, match="^no label for ünïcode$"):
        worker.call("probes:refuse", {"text": "no label for ünïcode"}, Reply)
    assert worker.call("probes:echo", {"text": "on"}, Reply)["text"] == "on"


def test_an_unforeseen_exception_is_one_line_that_names_the_log(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed) as caught:
        worker.call("probes:crash", {}, Reply)
    assert str(caught.value) == f"probe broke: ZeroDivisionError: first line (full log: {worker.log})"
    assert "Traceback" in log_of(worker)
    assert "second line" in log_of(worker)


def test_a_full_disk_is_an_output_error(worker: WorkerProcess) -> None:
    with pytest.raises(OutputError, match="no space left for big.tflite"):
        worker.call("probes:fill_disk", {}, Reply)


def test_a_missing_package_names_the_extra(worker: WorkerProcess) -> None:
    with pytest.raises(MissingDependency, match=r"pip install 'resnet-edge\[openvino\]'"):
        worker.call("probes:need_missing_package", {}, Reply)


def test_stdin_is_empty(worker: WorkerProcess) -> None:
    assert worker.call("probes:read_stdin", {}, Reply)["text"] == ""


@pytest.mark.parametrize("function", ["probes:answer_with_array", "nowhere:f", "probes:nothing", "nocolon"])
def test_what_cannot_be_called_or_sent_breaks_in_one_line(worker: WorkerProcess, function: str) -> None:
    with pytest.raises(WorkerFailed, match="probe broke: "):
        worker.call(function, {}, Reply)


def test_a_request_of_the_wrong_shape_breaks_in_one_line(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match="Expected `int`, got `str`"):
        worker.call("probes:echo", {"number": "many"}, Reply)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (MemoryError("8 GB"), "ResnetEdgeError", "not enough memory (8 GB): give a smaller model, or fewer"),
        (OSError(errno.EDQUOT, "quota", "a.npy"), "OutputError", "no space left for a.npy: free some"),
        (OSError(errno.ENOSPC, "full"), "OutputError", "no space left for the disk"),
    ],
)
def test_what_a_machine_lacks_is_no_crash(error: Exception, kind: str, words: str) -> None:
    message = _as_message(error)
    assert (message.error, message.crash) == (kind, None)
    assert message.text.startswith(words)


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "denied", "a"), ModuleNotFoundError("no resnet", name="resnet_edge.x")]
)
def test_any_other_error_is_a_crash(error: Exception) -> None:
    """A file that may not be read, and a module of ours that is missing, no package brings."""
    message = _as_message(error)
    assert message.error is None
    assert str(message.crash).startswith(f"{type(error).__name__}: ")


def test_text_that_is_no_utf8_is_spelled_wherever_it_stands() -> None:
    name = os.fsdecode(b"photos-\xff")
    sent = msgspec.json.decode(_encode(Message(reply={name: [name, {"deep": (name, 1.5)}]})))
    spelled = "photos-\\udcff"
    assert sent["reply"] == {spelled: [spelled, {"deep": [spelled, 1.5]}]}


def test_a_message_tells_what_the_process_cost() -> None:
    sent = msgspec.json.decode(_encode(Message(reply=1)))
    assert sent["peak_bytes"] > 1_000_000
    assert sent["cpu_seconds"] > 0
