from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError, UnknownName
from resnet_edge.core.image_contract import PRESETS, ImageContract, app_contract, contract


def written(folder: Path, text: str) -> str:
    (folder / "mine.json").write_text(text)
    return str(folder / "mine.json")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_for_the_size_and_colour_of_the_model(name: str) -> None:
    stated = contract(name, 12, 20, 3)
    assert (stated.name, stated.height, stated.width, stated.colour, stated.channels) == (
        name,
        12,
        20,
        "RGB",
        3,
    )
    assert contract(name, 12, 20, 1).colour == "grey"


def test_the_default_is_what_a_folder_of_images_gets() -> None:
    assert contract("pillow", 8, 8, 3) == ImageContract(name="pillow", height=8, width=8, colour="RGB")


def test_a_file_says_the_steps_and_gives_its_name(tmp_path: Path) -> None:
    file = written(tmp_path, '{"fit": "crop", "crop_fraction": 0.9, "interpolation": "bicubic"}')
    assert contract(file, 8, 9, 3) == ImageContract(
        name="mine",
        height=8,
        width=9,
        colour="RGB",
        fit="crop",
        crop_fraction=0.9,
        interpolation="bicubic",
        antialias=True,
    )
    assert contract(written(tmp_path, '{"interpolation": "nearest"}'), 8, 9, 1).antialias is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no resize file"),
        ('{"crop": 1}', "is no resize file"),
        ('{"fit": "crop", "crop_fraction": 0}', "is no resize file"),
        ('{"fit": "crop", "crop_fraction": 1.5}', "is no resize file"),
        ('{"interpolation": "lanczos"}', "is no resize file"),
        ('{"crop_fraction": 0.5}', "takes the whole photo"),
        ('{"interpolation": "nearest", "antialias": true}', "has no antialias"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        contract(written(tmp_path, text), 8, 8, 3)


def test_an_unknown_name_is_told_the_choices() -> None:
    with pytest.raises(UnknownName, match="no resize is called 'pilow'.*pillow, .*JSON file"):
        contract("pilow", 8, 8, 3)


def test_four_channels_are_no_photo() -> None:
    with pytest.raises(DataError, match="takes 4"):
        contract("pillow", 8, 8, 4)


@pytest.mark.parametrize("channels", [2, 4, 13])
def test_what_is_no_photo_is_handed_on_as_it_is(channels: int) -> None:
    stated = app_contract("pillow", 8, 9, channels)
    assert (stated.colour, stated.channels, stated.height, stated.width) == ("samples", channels, 8, 9)
    with pytest.raises(DataError, match=f"photos have 1 or 3 channels, and the model takes {channels}"):
        app_contract("crop", 8, 9, channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_photos_have_the_contract_that_is_named(channels: int) -> None:
    assert app_contract("crop", 8, 9, channels) == contract("crop", 8, 9, channels)
