"""Which files a DATA word names."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.load import shards_of
from resnet_edge.data.shards.files import is_pattern, named_shards, one_kind, pattern_files
from tests.data.photos import save
from tests.data.shards.writing import photos, samples, write_tar, write_tfrecord


def shards(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [write_tar(folder / name, samples(photos(1))) for name in names]


def test_braces_stars_and_single_files(tmp_path: Path) -> None:
    written = shards(tmp_path, "a-008.tar", "a-009.tar", "a-010.tar", "b-008.tar")
    assert named_shards(f"{tmp_path}/a-{{008..010}}.tar") == tuple(written[:3])
    assert named_shards(f"{tmp_path}/a-{{010..008}}.tar") == tuple(written[2::-1])
    assert named_shards(f"{tmp_path}/{{a,b}}-008.tar") == (written[0], written[3])
    assert named_shards(f"{tmp_path}/a-*.tar") == tuple(written[:3])
    assert named_shards(f"{tmp_path}/a-00[89].tar") == tuple(written[:2])
    assert named_shards(str(written[3])) == (written[3],)
    assert named_shards(str(tmp_path / "gone.tar")) == named_shards("") == ()


def test_a_folder_may_have_the_name_of_a_pattern(tmp_path: Path) -> None:
    written = shards(tmp_path / "runs[1]", "a-0.tar", "a-1.tar")
    assert named_shards(f"{tmp_path}/runs[1]/a-*.tar") == tuple(written)
    assert named_shards(f"{tmp_path}/runs*/a-*.tar") == tuple(written)


def test_names_are_counted_before_there_are_too_many(tmp_path: Path) -> None:
    """10^12 of them would take the memory."""
    with pytest.raises(DataError, match="stands for more than 1,000,000 names"):
        named_shards(f"{tmp_path}/{{0..999999}}{{0..999999}}.tar")


def test_a_file_may_have_the_name_of_a_pattern(tmp_path: Path) -> None:
    (written,) = shards(tmp_path, "a[1]{x}.tar")
    assert not is_pattern(str(written))
    assert named_shards(str(written)) == (written,)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a-{008..009}.tar", r"there is no file .*a-009\.tar, which .* stands for"),
        ("c-*.tar", "is the name of no file: name shards that are there"),
        ("{0..99999999}.tar", "stands for more than 1,000,000 names"),
        ("{0..999}{0..999}{0..9}.tar", "stands for more than 1,000,000 names"),
        ("n*.txt", r"notes\.txt is no shard"),
    ],
)
def test_a_pattern_that_names_something_else(tmp_path: Path, pattern: str, message: str) -> None:
    shards(tmp_path, "a-008.tar")
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=message):
        named_shards(f"{tmp_path}/{pattern}")


def test_a_folder_of_shards_leaves_other_files_out(tmp_path: Path) -> None:
    written = shards(tmp_path, "s-1.tar", "s-0.tar")
    for name in ("README.md", ".hidden.tar", "labels.txt"):
        (tmp_path / name).write_text("none")
    assert shards_of(str(tmp_path)) == tuple(sorted(written))


def test_a_folder_of_photos_is_none(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png")
    assert shards_of(str(tmp_path)) == ()


def test_shards_beside_photos_or_folders(tmp_path: Path) -> None:
    shards(tmp_path, "s-0.tar")
    save(tmp_path / "1.png")
    with pytest.raises(
        DataError, match=r"holds both shards \(s-0\.tar\) and 1\.png: name the shards by a pattern"
    ):
        shards_of(str(tmp_path))


def test_shards_of_training_and_test_images(tmp_path: Path) -> None:
    """All of them together would prove a model on what it was trained on."""
    shards(tmp_path, "train-0.tar", "train-1.tar", "test-0.tar")
    with pytest.raises(DataError, match=r"several sets \(test-0\.tar, train-0\.tar\).*test-\*"):
        shards_of(str(tmp_path))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a-00001-of-00003.tar", "a-00002-of-00003.tar"], r"holds 2 of 3 shards.*pattern, as '.*\*'"),
        (["a-0-of-1.tar", "a-0-of-2.tar"], r"of 1 and of 2.*'.*/\*-of-1\*'"),
    ],
)
def test_a_folder_that_is_not_whole(tmp_path: Path, names: list[str], message: str) -> None:
    """Else a download that stopped would be a smaller set, without a word."""
    shards(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        shards_of(str(tmp_path))
    assert len(shards_of(f"{tmp_path}/*-of-*")) == 2


@pytest.mark.parametrize("first", [0, 1])
def test_a_folder_that_is_whole(tmp_path: Path, first: int) -> None:
    """Whether they are counted from 0 or from 1."""
    written = shards(tmp_path, *(f"a.tfrecord-{first + row:05}-of-00003" for row in range(3)))
    assert shards_of(str(tmp_path)) == tuple(written)


def test_two_kinds(tmp_path: Path) -> None:
    (tar,) = shards(tmp_path, "s-0.tar")
    other = write_tfrecord(tmp_path / "s-1.tar", photos(1))
    with pytest.raises(DataError, match=r"s-1\.tar is tfrecord.*: shards of one set are of one kind"):
        one_kind(pattern_files(f"{tmp_path}/s-*"))
    assert (one_kind([tar]), one_kind([other])) == ("tar", "tfrecord")
