"""A file that a user names: refused at once, and whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError
from resnet_edge.report.whole_file import check_writable, write_whole


def test_it_is_replaced_as_a_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    check_writable("--html", path, overwrite=True)
    write_whole("--html", path, "näw")
    assert path.read_text("utf-8") == "näw"
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_is_there_is_refused_unless_it_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("old")
    with pytest.raises(OutputError, match=r"page\.html exists: give --overwrite to replace it"):
        check_writable("--html", tmp_path / "page.html", overwrite=False)


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "there" / "page.html")
    check_writable("--html", link, overwrite=False)
    write_whole("--html", link, "new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "page.html").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (".", "it is a folder"),
        ("absent/page.html", "does not exist; make it first"),
        ("file/page.html", "is a file; name another folder"),
        ("pipe", "no ordinary file"),
        ("x" * 300 + ".html", "too long"),
        ("a\0b.html", "null"),
    ],
)
def test_what_cannot_be_written_is_told_before(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match=said):
        check_writable("--html", tmp_path / name, overwrite=True)


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left on device; free the disk"):
        write_whole("--html", path, "new")
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]
