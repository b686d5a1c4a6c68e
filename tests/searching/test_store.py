"""Tests of search.store: real processes that share a folder."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError, OutputError, WorkerFailed
from resnet_edge.searching.store import SearchStore, digest


@dataclass(frozen=True, kw_only=True)
class Thing:
    path: str
    count: int = 1


def test_a_thing_is_made_once_and_its_paths_follow(tmp_path: Path) -> None:
    calls = []

    def make(folder: Path) -> Thing:
        calls.append(folder)
        (folder / "a.bin").write_bytes(b"a")
        return Thing(path=str(folder / "a.bin"))

    with SearchStore(tmp_path / 'with "quotes" and ü') as store:
        for _ in range(2):
            folder, thing = store.once("files", {"seed": 1}, Thing, make)
            assert thing.path == str(folder / "a.bin")
            assert Path(thing.path).read_bytes() == b"a"
        store.once("files", {"seed": 2}, Thing, make)
    assert len(calls) == 2


def test_what_failed_is_made_again_in_what_it_left(tmp_path: Path) -> None:
    def failing(folder: Path) -> Thing:
        (folder / "epoch-1").touch()
        raise DataError("no labels")

    def going_on(folder: Path) -> Thing:
        return Thing(path="", count=len([*folder.iterdir()]))

    with SearchStore(tmp_path) as store:
        with pytest.raises(DataError, match="no labels"):
            store.once("networks", 1, Thing, failing)
        assert store.once("networks", 1, Thing, going_on)[1].count == 1


TWO = """
import sys, time
from pathlib import Path
from resnet_edge.searching.store import SearchStore
from tests.searching.test_store import Thing

def make(folder):
    print("making", flush=True)
    time.sleep(1)
    return Thing(path=str(folder))

with SearchStore(Path(sys.argv[1])) as store:
    store.once("networks", "a", Thing, make)
"""


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", TWO, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sorted(each.communicate(timeout=60)[0] for each in both) == ["", "making\n"]
    assert [each.returncode for each in both] == [0, 0]


def test_two_threads_make_it_once_and_who_waits_leaves_its_turn(tmp_path: Path) -> None:
    folders, goes_on = [], threading.Event()

    def make(folder: Path) -> Thing:
        folders.append(folder)
        with store.turn.left():  # as one does that is made on a cluster
            assert goes_on.wait(10)
        return Thing(path=str(folder))

    def once() -> Thing:
        with store.turn.taken():
            return store.once("networks", "a", Thing, make)[1]

    with SearchStore(tmp_path) as store, ThreadPoolExecutor(2) as threads:
        both = [threads.submit(once) for _ in range(2)]
        while not folders:
            time.sleep(0.01)
        time.sleep(0.3)  # the other waits for it by now
        with store.turn.taken():
            store.once("networks", "b", Thing, lambda folder: Thing(path=""))
        goes_on.set()
        assert both[0].result() == both[1].result()
    assert len(folders) == 1


def test_nobody_waits_for_another_when_the_search_is_over(tmp_path: Path) -> None:
    with SearchStore(tmp_path) as ours, SearchStore(tmp_path) as theirs, theirs.alone("networks", "a"):
        ours.turn.end()
        with pytest.raises(WorkerFailed, match="the search is over"), ours.alone("networks", "a"):
            pass


def test_latency_waits_for_what_loads_this_machine(tmp_path: Path) -> None:
    quiet, left, ends = (threading.Event() for _ in range(3))

    def elsewhere() -> None:
        with store.turn.taken(), store.turn.left(works_here=True):
            left.set()
            assert ends.wait(10)

    def measure() -> None:
        with store.turn.taken(), store.quiet():
            quiet.set()

    with SearchStore(tmp_path) as store, ThreadPoolExecutor(2) as threads:
        both = [threads.submit(elsewhere)]
        assert left.wait(10)
        both.append(threads.submit(measure))
        assert not quiet.wait(0.3)
        ends.set()
        for one in both:
            one.result()
    assert quiet.is_set()


def test_who_comes_after_a_process_that_was_killed_goes_on(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", TWO, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "making\n"
    first.kill()
    first.communicate()
    with SearchStore(tmp_path) as store:
        folder, _ = store.once("networks", "a", Thing, lambda folder: Thing(path=str(folder)))
        assert folder.is_dir()


def test_damage_says_the_way_out(tmp_path: Path) -> None:
    with SearchStore(tmp_path) as store:
        folder, _ = store.once("files", 1, Thing, lambda folder: Thing(path=""))
        for content in (b"{", b'"{}"', b'"[]"'):
            (folder / "reply.json").write_bytes(content)
            with pytest.raises(DataError, match="remove the folder"):
                store.once("files", 1, Thing, lambda folder: Thing(path=""))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="name another --study"), SearchStore(tmp_path / "file" / "store"):
        pass


def test_only_one_owner_is_left_while_it_is_open(tmp_path: Path) -> None:
    with SearchStore(tmp_path) as store:
        assert store.owner.exists()
    assert not store.owner.exists()


def test_a_digest_depends_on_what_is_in_a_key_alone() -> None:
    assert digest({"a": 1, "b": (2,)}) == digest({"b": (2,), "a": 1}) != digest({"a": 1, "b": (3,)})
