"""Tests of data.present through what lists photos and shards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.folder import files_of
from resnet_edge.data.load import shards_of
from resnet_edge.data.present import is_present
from tests.data.photos import save
from tests.data.shards.writing import photos, samples, write_tar


def test_a_folder_is_no_file_and_a_link_to_a_file_is_one(tmp_path: Path) -> None:
    photo = save(tmp_path / "cats.jpg" / "1.png")
    link = tmp_path / "2.png"
    link.symlink_to(photo)
    assert [is_present(each) for each in (photo, link, photo.parent)] == [True, True, False]


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_photos_that_are_not_there_are_not_passed_over(tmp_path: Path, kind: str) -> None:
    save(tmp_path / "cats" / "1.png")
    absent = tmp_path / "cats" / "2.png"
    _make(absent, kind)
    with pytest.raises(DataError, match=rf"2\.png is {_said(kind)}"):
        files_of(tmp_path)


@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("word", ["{}", "{}/a-*", "{}/*.tar"])
def test_shards_that_are_not_there_are_not_passed_over(tmp_path: Path, kind: str, word: str) -> None:
    write_tar(tmp_path / "a-0.tar", samples(photos(1)))
    _make(tmp_path / "a-1.tar", kind)
    with pytest.raises(DataError, match=rf"a-1\.tar is {_said(kind)}"):
        shards_of(word.format(tmp_path))


def test_what_is_no_shard_need_not_be_there(tmp_path: Path) -> None:
    written = write_tar(tmp_path / "a-0.tar", samples(photos(1)))
    _make(tmp_path / "README.md", "link")
    _make(tmp_path / "socket", "pipe")
    assert shards_of(str(tmp_path)) == (written,)


def _make(path: Path, kind: str) -> None:
    if kind == "link":
        path.symlink_to("../.git/annex/objects/gone")
    else:
        os.mkfifo(path)


def _said(kind: str) -> str:
    return "a link to .*gone, which is not there: fetch it" if kind == "link" else "no file: remove it"
