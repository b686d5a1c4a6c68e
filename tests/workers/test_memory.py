"""Tests of workers.memory with real processes that take memory, and of what a control group leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from resnet_edge.core.errors import ResnetEdgeError, WorkerFailed
from resnet_edge.core.machine import GROUPS, available_memory, left_in_groups
from resnet_edge.workers.memory import LEAST, LONGEST, MemoryWatch, SharedMemory
from resnet_edge.workers.process import WorkerProcess

ENV = {"PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{Path(__file__).parents[2]}"}
LIMIT = 300 << 20


@pytest.mark.parametrize("speaks", [0, 1])
def test_a_worker_that_takes_too_much_is_ended_in_one_line(tmp_path: Path, speaks: int) -> None:
    with WorkerProcess("probe", tmp_path / "log", ENV, memory=LIMIT) as worker:
        worker.call("probes:take_memory", {"text": "a", "number": 100 << 20}, dict)
        with pytest.raises(WorkerFailed) as caught:
            worker.call("probes:take_memory", {"text": "net.h5", "number": (2 << 30) + speaks}, dict)
    words = str(caught.value)
    assert words.startswith("probe was ended in 'model' (reading net.h5): it had taken ")
    assert f"may take {LIMIT:,}: give it less" in words
    assert "\n" not in words


def test_a_file_that_is_mapped_is_not_counted(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(2 * LIMIT)
    with WorkerProcess("probe", tmp_path / "log", ENV, memory=LIMIT) as worker:
        counted = worker.call("probes:read_mapped", {"text": str(large)}, dict)
    assert counted["number"] == 0


def test_a_process_that_is_far_from_the_limit_is_seldom_looked_at() -> None:
    watch = MemoryWatch(os.getpid(), 1 << 50)
    assert watch.excess() is None
    assert watch.wait == LONGEST
    near = MemoryWatch(os.getpid(), 1)
    assert "bytes of memory, and may take 1" in (near.excess() or "")
    watch.close()
    near.close()


@contextmanager
def taking(size: int) -> Iterator[int]:
    """A process that has so many bytes."""
    code = f"import sys; kept = b'x' * {size}; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_what_all_take_together_is_bounded_and_the_largest_at_work_is_ended() -> None:
    """None of them alone has more than it may."""
    everything = 1 << 60
    shared = SharedMemory(limit=LIMIT, reserve=everything)
    with taking(150 << 20) as large, taking(120 << 20) as small, taking(200 << 20) as waiting:
        watches = [MemoryWatch(pid, everything, shared) for pid in (large, small, waiting)]
        for watch in watches[:2]:
            watch.at_work = True
        assert watches[1].excess() is None
        words = watches[0].excess() or ""
        assert words.endswith(f"the most of all workers, which may take {LIMIT:,} together")
        watches[2].close()
        after = MemoryWatch(large, everything, shared)
        watches[0].close()
        assert after.excess() is None


def test_what_is_free_may_be_taken_by_all_together() -> None:
    shared = SharedMemory(limit=1, reserve=1)
    assert MemoryWatch(os.getpid(), 1 << 60, shared).excess() is None


def test_a_worker_that_others_leave_no_room_is_ended(tmp_path: Path) -> None:
    """As workers share it, in a process of its own: what that one has stays there."""
    code = """
import sys
from resnet_edge.workers import memory
from resnet_edge.workers.process import WorkerProcess
memory.ALL.__init__(limit=400 << 20, reserve=1 << 60)
log, env = sys.argv[1], {"PYTHONPATH": sys.argv[2]}
from pathlib import Path
with WorkerProcess("first", Path(log), env) as first, WorkerProcess("second", Path(log), env) as second:
    first.call("probes:take_memory", {"text": "a.tflite", "number": 150 << 20}, dict)
    second.call("probes:take_memory", {"text": "b.tflite", "number": 150 << 20}, dict)
    try:
        second.call("probes:take_memory", {"text": "b.tflite", "number": 1 << 31}, dict)
    except Exception as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log"), ENV["PYTHONPATH"]],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **ENV},
    )
    assert done.stdout.startswith("second was ended in 'model' (reading b.tflite): it had taken ")
    assert "the most of all workers, which may take 419,430,400 together: give it less" in done.stdout


def test_a_process_that_is_gone_has_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert MemoryWatch(done.pid, 1).excess() is None


def test_a_machine_without_room_still_runs_a_worker() -> None:
    assert (MemoryWatch(os.getpid()).limit or LEAST) >= LEAST


@pytest.fixture
def own_group() -> Iterator[Path]:
    """A control group of version 1 that may have 1 GB; they are for the superuser."""
    line = next(
        (name for name in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in name), ""
    )
    inside = GROUPS / "memory" / line.rpartition(":")[2].lstrip("/")
    group = inside / "resnet-edge-test"
    if not line:
        pytest.skip("memory is in no control group of version 1")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(1 << 30))
    except OSError:
        with suppress(OSError):
            group.rmdir()
        pytest.skip("no control group can be made")
    yield group
    group.rmdir()


def test_what_a_group_leaves_is_what_there_is(own_group: Path) -> None:
    code = "from resnet_edge.core.machine import available_memory; print(available_memory())"
    join = f"echo $$ > {own_group}/cgroup.procs && exec {sys.executable} -c '{code}'"
    done = subprocess.run(
        ["sh", "-c", join], capture_output=True, text=True, check=True, env={**os.environ, **ENV}
    )
    assert 0 < int(done.stdout) <= 1 << 30
    assert (available_memory() or 0) != int(done.stdout)


def _group(folder: Path, **files: int | str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{content}\n")
    (folder / "memory.stat").write_text("anon 5\ninactive_file 7\ntotal_inactive_file 9\n")


def test_every_group_around_a_process_counts(tmp_path: Path) -> None:
    """Version 2, of which most machines have no group that a test may make."""
    own = tmp_path / "own"
    own.write_text("0::/a/b\n")
    _group(tmp_path / "a/b", memory_max="max", memory_current=1)
    _group(tmp_path / "a", memory_max=1000, memory_current=400)
    assert left_in_groups(tmp_path, own) == [607]
    _group(tmp_path / "a/b", memory_max=300, memory_current=500)
    assert sorted(left_in_groups(tmp_path, own)) == [0, 607]


def test_a_group_that_is_not_seen_from_inside_is_passed_over(tmp_path: Path) -> None:
    """In a container the mount begins at its own group, and /proc may tell the path from outside."""
    own = tmp_path / "own"
    own.write_text("4:memory:/docker/abc\n0::/\n")
    _group(tmp_path / "memory", memory_limit_in_bytes=100, memory_usage_in_bytes=40)
    assert left_in_groups(tmp_path, own) == [69]


def test_what_python_has_no_memory_for_is_told_in_one_line(tmp_path: Path) -> None:
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        with pytest.raises(ResnetEdgeError, match=r"not enough memory \(Unable to allocate .*: give a "):
            worker.call("probes:ask_for_memory", {"number": 1 << 50}, dict)
        assert worker.call("probes:echo", {"text": "goes on"}, dict)["text"] == "goes on"
