"""Tests of api.source_paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.api.source_paths import bundled_inputs, check_data, read_paths, seen_from
from resnet_edge.core.errors import DataError


@pytest.mark.parametrize(
    ("model", "words", "expected"),
    [
        (None, (), ()),
        ("resnet20", (None,), ()),
        ("app:ResNet50", ("fashion-mnist",), ()),
        ("net.keras", ("photos", None, Path("labels.txt")), ("net.keras", "photos", "labels.txt")),
        ("net.keras", ("fashion-mnist:cache",), ("net.keras", "cache")),
    ],
)
def test_names_are_no_paths_and_all_else_is(
    model: str | None, words: tuple[object, ...], expected: tuple[str, ...]
) -> None:
    assert read_paths(model, *words) == tuple(map(Path, expected))


def test_data_is_a_name_a_folder_or_an_npz(tmp_path: Path) -> None:
    (tmp_path / "data.npz").touch()
    for data in ("fashion-mnist", f"fashion-mnist:{tmp_path}", str(tmp_path), str(tmp_path / "data.npz")):
        check_data("--data", data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "--data '' does not exist"),
        ("fashion-mnist-photos", "does not exist"),
        ("text.csv", "is a file of another kind: give fashion-mnist, a folder of images, an .npz"),
        ("gone.npz", "does not exist"),
        ("fashion-mnist:gone", "gone is no folder"),
    ],
)
def test_what_is_no_data_is_refused(here: Path, data: str, message: str) -> None:
    (here / "text.csv").touch()
    with pytest.raises(DataError, match=message):
        check_data("--data", data)


def test_words_read_from_a_folder_as_they_do_from_here(here: Path) -> None:
    (here / "photos").mkdir()
    (here / "net.keras").touch()
    words = seen_from(
        here / "out" / "dist",
        model=here / "net.keras",
        data="photos",
        calibration="fashion-mnist:photos",
        unpruned="app:ResNet50",
        pixels=[1, 2],
        absent=None,
    )
    assert words == {
        "model": "../../net.keras",
        "data": "../../photos",
        "calibration": "fashion-mnist:../../photos",
        "unpruned": "app:ResNet50",
    }
    assert set(bundled_inputs()) == {"model", "data", "calibration"}
