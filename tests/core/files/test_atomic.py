"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.files.atomic import (
    hidden,
    is_part,
    name_too,
    sweep_parts,
    with_final_names,
    write_whole,
)


def test_the_new_file_takes_the_place_of_the_old_one_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for content in (b"old", b"new"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert [*tmp_path.iterdir()] == [path]


def test_who_has_the_old_file_open_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, b"old")
    with path.open("rb") as old:
        write_whole(path, b"newer")
        assert old.read() == b"old"


def test_what_cannot_take_its_name_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="report.json"):
        write_whole(tmp_path / "report.json", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_without_its_folder_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "report.json", b"new")


def test_parts_of_a_run_that_was_killed_are_swept_and_nothing_else(tmp_path: Path) -> None:
    others = [".resnet-edge.toml", "a.unfinished", ".dist.0123abcd.unfinished", "report.json"]
    for name in (".resnet-edge.0123abcd.unfinished", *others):
        (tmp_path / name).touch()
    assert is_part(tmp_path / ".resnet-edge.0123abcd.unfinished")
    sweep_parts(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(others)


def test_messages_name_what_the_user_named(tmp_path: Path) -> None:
    out = hidden(tmp_path / "my.dist")
    assert out.parent == tmp_path
    assert out != hidden(tmp_path / "my.dist")
    text = f"{out}/net.onnx cannot be written"
    assert with_final_names(text, [str(out)]) == f"{tmp_path}/my.dist/net.onnx cannot be written"
    assert with_final_names(text, [str(tmp_path)]) == text
    assert with_final_names(text, []) == text


def test_a_file_has_two_names(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"1")
    name_too(tmp_path / "kept", tmp_path / "name")
    (tmp_path / "kept").unlink()
    assert (tmp_path / "name").read_bytes() == b"1"
    with pytest.raises(FileNotFoundError):
        name_too(tmp_path / "kept", tmp_path / "other")
