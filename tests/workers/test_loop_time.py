"""Tests of workers.loop_time: what goes round for ever is ended, and what is slow, or waits, is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resnet_edge.core.errors import UsageError, WorkerFailed
from resnet_edge.workers.loop_time import SECONDS, VARIABLE, longest
from resnet_edge.workers.process import WorkerProcess

ENV = {
    "PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{Path(__file__).parents[2]}",
    VARIABLE: "0.5",
}


@pytest.mark.parametrize("function", ["go_round", "go_round_elsewhere"])
def test_a_loop_without_end_is_ended_in_one_line(tmp_path: Path, function: str) -> None:
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker, pytest.raises(WorkerFailed) as caught:
        worker.call(f"probes:{function}", {"text": "a.onnx", "number": 600}, dict)
    words = str(caught.value)
    assert words.startswith("probe was ended in 'model': a.onnx has a loop, and took ")
    assert "where that loop ends at all, give it more than 0.5 s with RESNET_EDGE_LOOP_SECONDS (full" in words
    assert "\n" not in words


def test_what_has_no_loop_takes_as_long_as_it_takes(tmp_path: Path) -> None:
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        assert worker.call("probes:go_round", {"text": "", "number": 2}, dict)["number"] == 2


def test_what_waits_or_speaks_has_more_time(tmp_path: Path) -> None:
    with WorkerProcess("probe", tmp_path / "log", {**ENV, VARIABLE: "2"}) as worker:
        began = time.monotonic()
        worker.call("probes:wait_with_loop", {"text": "a.onnx", "number": 3}, dict)
        assert time.monotonic() - began > 3
        for _ in range(3):
            worker.call("probes:go_round", {"text": "a.onnx", "number": 1}, dict)


@pytest.mark.parametrize("said", ["x", "-1", "0", "nan", "inf"])
def test_what_is_no_number_of_seconds_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(UsageError, match=f"{VARIABLE} is '{said}': give a number of seconds"):
        longest()


def test_nothing_said_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert longest() == SECONDS
