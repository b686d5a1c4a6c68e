"""Tests of core.preprocessing: the presets against what their sources print."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError, UnknownName
from resnet_edge.core.preprocessing import PRESETS, Preprocessing, preprocessing

PIXELS = np.array([[0, 0, 0], [255, 255, 255], [10, 128, 200]], np.float64)


def applied(chosen: Preprocessing) -> np.ndarray:
    pixels = PIXELS[:, ::-1] if chosen.channels == "BGR" else PIXELS
    return np.asarray(pixels * np.array(chosen.scale) + np.array(chosen.offset))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unit", PIXELS / 255),
        ("symmetric", PIXELS / 127.5 - 1),
        ("imagenet", (PIXELS / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        ("caffe", PIXELS[:, ::-1] - [103.939, 116.779, 123.68]),
        ("none", PIXELS),
        ("model", PIXELS),
    ],
)
def test_the_presets_compute_what_their_names_say(name: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(applied(preprocessing(name)), expected, rtol=0, atol=1e-12)


def test_each_preset_knows_its_name_and_where_it_happens() -> None:
    assert [preset.name for preset in PRESETS.values()] == list(PRESETS)
    assert {name for name, preset in PRESETS.items() if not preset.takes_pixels} == {"none"}
    assert {name for name, preset in PRESETS.items() if preset.identity} == {"none", "model"}


def test_a_file_tells_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"scale": [0.5, 1, 2], "offset": [-1], "channels": "BGR"}))
    assert preprocessing(str(file)) == Preprocessing(
        name="mine", where="graph", scale=(0.5, 1.0, 2.0), offset=(-1.0,), channels="BGR"
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"scale": []}',
        '{"mean": [1]}',
        '{"scale": 1}',
        '{"scale": ["1"]}',
        '{"channels": "RBG"}',
        "\x00",
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(DataError, match="is no preprocessing file"):
        preprocessing(str(tmp_path / "mine.json"))


@pytest.mark.parametrize("name", ["", "Caffe", "tf", "no/such.json"])
def test_an_unknown_name_shows_the_choices(name: str) -> None:
    with pytest.raises(UnknownName, match="choose from: none, model, unit, symmetric, imagenet, caffe"):
        preprocessing(name)
