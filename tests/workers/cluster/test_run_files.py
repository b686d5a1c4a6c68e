"""The files of a run on a machine of a cluster, without Ray."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from resnet_edge.core.files.atomic import name_too
from resnet_edge.workers.cluster import run_files
from resnet_edge.workers.cluster.run_files import RunFiles

SIZE = 1000


def content(number: int) -> bytes:
    return bytes([number]) * SIZE


def digest(number: int) -> str:
    return hashlib.sha256(content(number)).hexdigest()


def parts(*numbers: int) -> dict[str, list[Callable[[], bytes]]]:
    return {digest(number): [partial(content, number)] for number in numbers}


def stored(folder: Path) -> set[str]:
    return {file.name for file in (folder / "files").glob("??/*")}


def test_files_are_there_while_they_are_read(tmp_path: Path) -> None:
    files, path = RunFiles(tmp_path), tmp_path / "own" / "in" / "a"
    for came in (SIZE, 0):
        with files.placed({str(path): digest(1)}, parts(1)) as size:
            assert path.read_bytes() == content(1)
            assert size == came
        assert not path.exists()


def test_of_many_files_those_stay_that_were_read_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "KEPT_BYTES", 3 * SIZE)
    files = RunFiles(tmp_path)
    for number in range(1, 20):
        reads = {str(tmp_path / "model"): digest(0), str(tmp_path / f"images {number}"): digest(number)}
        with files.placed(reads, parts(0, number)):
            assert len(stored(tmp_path)) <= 6
    assert {digest(number) for number in (0, 16, 17, 18, 19)} == stored(tmp_path)
    assert {entry.stat().st_nlink for entry in (tmp_path / "files").glob("??/*")} == {1}


def test_a_call_keeps_what_it_reads_however_large_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "KEPT_BYTES", 0)
    files = RunFiles(tmp_path)
    with files.placed({str(tmp_path / "model"): digest(0)}, parts(0)):
        pass
    with files.placed({str(tmp_path / "model"): digest(0)}, parts(0)) as size:
        assert size == 0


def test_a_file_for_which_another_process_made_room_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[Path] = []

    def late(file: Path, name: Path) -> None:
        if not removed:
            removed.append(file)
            file.unlink()
        name_too(file, name)

    monkeypatch.setattr(run_files, "name_too", late)
    with RunFiles(tmp_path).placed({str(tmp_path / "a"): digest(1)}, parts(1)) as size:
        assert (tmp_path / "a").read_bytes() == content(1)
        assert size == 2 * SIZE


def test_a_file_that_does_not_come_leaves_nothing(tmp_path: Path) -> None:
    def lost() -> bytes:
        raise RuntimeError("an object was lost")

    reads = {str(tmp_path / "a"): digest(1), str(tmp_path / "b"): digest(2)}
    sources = {**parts(1), digest(2): [lambda: content(2)[:10], lost]}
    with pytest.raises(RuntimeError), RunFiles(tmp_path).placed(reads, sources):
        pass
    assert stored(tmp_path) == {digest(1)}
    assert not (tmp_path / "a").exists()
