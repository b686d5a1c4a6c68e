"""Workers that die, are renewed, and end with their pool."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.errors import DataError, OutputError, WorkerFailed
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import Progress, silent
from resnet_edge.workers.task import Task

Reply = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Echo(Task[Reply], runs="tests.workers.probes:echo"):
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Refuse(Task[Reply], runs="tests.workers.probes:refuse"):
    text: str


@dataclass(frozen=True, kw_only=True)
class Abort(Task[Reply], runs="tests.workers.probes:abort"):
    pass


@dataclass(frozen=True, kw_only=True)
class FillDisk(Task[Reply], runs="tests.workers.probes:fill_disk"):
    pass


@dataclass(frozen=True, kw_only=True)
class SleepWithChild(Task[Reply], runs="tests.workers.probes:sleep_with_child"):
    pass


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])  # where workers find the package tests


def pid(answer: dict[str, object]) -> int:
    assert isinstance(answer["pid"], int)
    return answer["pid"]


def test_a_worker_is_renewed_after_it_died_and_its_cost_is_kept(tmp_path: Path) -> None:
    with WorkerPool(tmp_path) as workers:
        worker = workers.worker("the maker", silent)
        first = pid(worker.run(Echo()))
        with pytest.raises(WorkerFailed, match=f"SIGABRT.*{tmp_path}/the_maker.log"):
            worker.run(Abort())
        assert pid(worker.run(Echo())) != first
        (cost,) = workers.costs()
    assert (cost.stage, cost.seconds > 0, cost.peak_bytes > 1_000_000) == ("the maker", True, True)


def test_an_error_of_the_work_renews_nothing(tmp_path: Path) -> None:
    with WorkerPool(tmp_path) as workers:
        worker = workers.worker("a", silent)
        first = pid(worker.run(Echo()))
        with pytest.raises(DataError):
            worker.run(Refuse(text="no"))
        assert pid(worker.run(Echo())) == first


@pytest.mark.parametrize("probe", [Abort(), FillDisk()], ids=["abort", "fill_disk"])
def test_what_explains_a_failure_better_is_raised_instead(tmp_path: Path, probe: Task[Reply]) -> None:
    def explain() -> None:
        raise OutputError("that disk is full")

    with WorkerPool(tmp_path, explain) as workers, pytest.raises(OutputError, match="that disk is full"):
        workers.worker("a", silent).run(probe)


def test_closing_ends_calls_under_way_and_lets_none_begin(tmp_path: Path) -> None:
    begun, failed = threading.Event(), threading.Event()
    reports: list[Progress] = []

    def report(news: Progress) -> None:
        reports.append(news)
        begun.set()

    with WorkerPool(tmp_path) as workers:
        worker = workers.worker("sleeper", report)

        def sleep() -> None:
            try:
                worker.run(SleepWithChild())
            except WorkerFailed:
                failed.set()

        thread = threading.Thread(target=sleep)
        thread.start()
        assert begun.wait(30)
        workers.close()
        thread.join(30)
        assert failed.is_set()
        for late in (worker, workers.worker("late", silent)):
            with pytest.raises(WorkerFailed, match="the run is over"):
                late.run(Echo())
    with pytest.raises(ProcessLookupError):
        os.kill(int(reports[0].note.split()[0]), 0)
