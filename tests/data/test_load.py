"""Tests of data.load: which loader a word is for, and what every one of them gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.image_set import Split
from resnet_edge.data.load import load
from tests.data.photos import save


@pytest.mark.parametrize("word", ["fashion_mnist", "mnist", "", "no/such/folder", "pictures.zip"])
def test_an_unknown_word_is_told_what_data_can_be(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="give 'fashion-mnist', a folder of images, an .npz"):
        load(word, "test")


def test_a_missing_npz_is_told_as_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.npz does not exist"):
        load(str(tmp_path / "gone.npz"), "test")


def test_a_folder_is_not_asked_for_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's folder of a name like the data set's, or with a suffix, is a folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("fashion-mnist-photos", "photos.npz"):
        save(tmp_path / name / "a.png")
        assert load(name, "test").images.shape == (1, 8, 8, 1)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_users_data_are_the_same_for_training_and_test(tmp_path: Path, split: Split) -> None:
    np.savez(tmp_path / "d.npz", images=np.arange(2 * 3 * 3).reshape(2, 3, 3, 1).astype(np.uint8))
    assert load(str(tmp_path / "d.npz"), split).images[:].ravel().tolist() == [*range(18)]


def test_no_image_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=np.zeros((0, 4, 4, 1), np.uint8))
    with pytest.raises(DataError, match=r"d\.npz"):
        load(str(tmp_path / "d.npz"), "test")


def test_a_suffix_alone_makes_no_archive(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes((save(tmp_path / "a.png")).read_bytes())
    with pytest.raises(DataError, match=r"d\.zip' is no data"):
        load(str(tmp_path / "d.zip"), "test")


@pytest.mark.parametrize(
    ("name", "fault"),
    [("b\x1b[2J", r"U\+001B \(a control character\)"), ("\u2067b", r"U\+2067"), ("b\udcff", "byte 0xff")],
)
def test_a_folder_whose_name_would_move_a_cursor_is_told_by_its_character(
    tmp_path: Path, name: str, fault: str
) -> None:
    for sub_folder in ("क्\u200dष", name):
        save(tmp_path / "photos" / sub_folder / "a.png")
    with pytest.raises(DataError, match=f"{fault}.*; rename it without that character"):
        load(str(tmp_path / "photos"), "test")


def test_a_folder_may_be_called_what_hindi_and_emoji_need(tmp_path: Path) -> None:
    names = ("क्\u200dष", "👩\u200d🍳")
    for name in names:
        save(tmp_path / "photos" / name / "a.png")
    assert load(str(tmp_path / "photos"), "test").class_names == names
