"""The paths of a task on a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.workers.hosts.carried import Carried
from resnet_edge.workers.task import Task

FOLDER = PurePosixPath("/far")


@dataclass(frozen=True, kw_only=True)
class Part:
    path: str
    note: str = "x"


@dataclass(frozen=True, kw_only=True)
class Work(Task[str], runs="tests.workers.probes:echo", reads=("parts.path", "data"), writes=("out",)):
    parts: tuple[Part, ...]
    out: str
    data: str | None = None


def test_declared_fields_change_and_no_others(tmp_path: Path) -> None:
    here = tmp_path / "a.npy"
    here.write_bytes(b"1")
    work = Work(parts=(Part(path=str(here), note=str(here)),), out=str(tmp_path / "out.npy"))
    carried = Carried.of(work, FOLDER)
    assert carried.request(work) == {
        "parts": [{"path": f"/far/in{here}", "note": str(here)}],
        "out": f"/far/out{tmp_path}/out.npy",
        "data": None,
    }


def test_files_stand_to_each_other_as_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / "one" / "m.onnx", tmp_path / "two" / "m.onnx", tmp_path / "one" / "w" / "m.data"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1")
    work = Work(parts=tuple(Part(path=str(path)) for path in paths), out="o")
    there = Carried.of(work, FOLDER).reads
    assert [there[str(path)] for path in paths] == [f"/far/in{path}" for path in paths]
    monkeypatch.chdir(tmp_path / "one")
    relative = Work(parts=(Part(path="../two/m.onnx"),), out="o")
    carried = Carried.of(relative, FOLDER)
    assert carried.reads == {"../two/m.onnx": f"/far/in{tmp_path}/two/m.onnx"}
    assert carried.writes == {"o": f"/far/out{tmp_path}/one/o"}


def test_words_that_are_no_files_stay(tmp_path: Path) -> None:
    work = Work(parts=(Part(path="a\0b"), Part(path="x" * 5000)), out="o", data="fashion-mnist")
    assert Carried.of(work, FOLDER).reads == {}
    assert Carried.of(work, FOLDER).request(work)["data"] == "fashion-mnist"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only files are carried"):
        Carried.of(Work(parts=(Part(path=str(tmp_path)),), out="o"), FOLDER)


def test_replies_and_messages_have_the_paths_of_here(tmp_path: Path) -> None:
    carried = Carried(reads={"/here/a": "/far/in/0/a"}, writes={"/here/ab": "/far/in/0/ab"})
    assert carried.reply({"x": ["/far/in/0/a", 3, None]}) == {"x": ["/here/a", 3, None]}
    assert carried.spelled("/far/in/0/ab and /far/in/0/a") == "/here/ab and /here/a"
