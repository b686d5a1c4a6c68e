"""A point of a search in a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge import errors
from resnet_edge.api.search_point import write_point
from tests.report.searches import POINTS, finished

KNEE = POINTS[2]


def inputs(folder: Path) -> dict[str, str]:
    read: dict[str, str] = json.loads((folder / "report.json").read_text())["inputs"]
    return read


def test_what_its_report_names_is_found_from_the_new_place(tmp_path: Path) -> None:
    folder = finished(tmp_path / "frontier")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/images.npz").write_text("")
    (tmp_path / "deep/er").mkdir(parents=True)
    out = write_point(folder, KNEE, tmp_path / "deep/er/chosen", overwrite=False)
    words = inputs(out)
    assert words == {
        "model": "../../../frontier/networks/14/resnet20.keras",
        "data": "fashion-mnist",
        "calibration": "../../../more/images.npz",
    }
    assert (out / words["model"]).is_file()
    assert sorted(file.name for file in out.iterdir()) == [
        "labels.txt",
        "report.html",
        "report.json",
        "report.md",
        "resnet20.int8.tflite",
    ]


def test_what_is_gone_keeps_its_word(tmp_path: Path) -> None:
    """The images may come back: the word says where from."""
    out = write_point(finished(tmp_path / "frontier"), KNEE, tmp_path / "chosen", overwrite=False)
    assert inputs(out)["calibration"] == "../more/images.npz"


def test_what_is_in_the_folder_stays_in_it(tmp_path: Path) -> None:
    folder = finished(tmp_path / "frontier")
    point = folder / KNEE.folder
    report = json.loads((point / "report.json").read_text())
    (point / "own.npz").write_text("")
    (point / "report.json").write_text(json.dumps({**report, "inputs": {"calibration": "own.npz"}}))
    out = write_point(folder, KNEE, tmp_path / "chosen", overwrite=False)
    assert inputs(out) == {"calibration": "own.npz"}


def test_a_search_that_is_no_longer_whole_is_said_to_be(tmp_path: Path) -> None:
    folder = finished(tmp_path / "frontier")
    (folder / KNEE.folder / "report.json").unlink()
    with pytest.raises(errors.DataError, match="search again with its study"):
        write_point(folder, KNEE, tmp_path / "chosen", overwrite=False)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["frontier"]


def test_the_search_itself_is_not_replaced(tmp_path: Path) -> None:
    folder = finished(tmp_path / "frontier")
    with pytest.raises(errors.UsageError, match="would take the place of"):
        write_point(folder, KNEE, folder, overwrite=True)
    (tmp_path / "chosen").write_text("")
    with pytest.raises(errors.OutputError, match="exists and is a file"):
        write_point(folder, KNEE, tmp_path / "chosen", overwrite=True)
