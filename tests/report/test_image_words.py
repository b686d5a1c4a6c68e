from __future__ import annotations

import pytest

from resnet_edge.core.image_contract import PRESETS, ImageContract, contract
from resnet_edge.report.image_words import sentence, words


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PRESETS)
def test_the_steps_are_numbered_sentences(name: str, channels: int) -> None:
    steps = words(contract(name, 120, 160, channels))
    assert [step.split(".")[0] for step in steps] == ["1", "2", "3", "4", "5"]
    assert all(step.endswith(".") for step in steps)
    assert "EXIF" in steps[0]
    assert "160 pixels across and 120 down" in steps[3]
    assert f"(120, 160, {channels})" in steps[4]


def test_each_choice_is_told() -> None:
    sentences = {name: words(contract(name, 8, 8, 3)) for name in PRESETS}
    assert "with antialias" in sentences["pillow"][3]
    assert "without antialias" in sentences["tensorflow"][3]
    assert "nearest two pixels" in sentences["tensorflow"][3]
    assert "whole photo" in sentences["pillow"][2]
    assert "0.875 of the short side" in sentences["crop"][2]
    assert "bicubic" in sentences["crop-bicubic"][3]
    assert "red, green and blue" in sentences["pillow"][1]
    assert "19595 R" in words(contract("pillow", 8, 8, 1))[1]
    nearest = ImageContract(
        name="n", height=8, width=8, colour="RGB", interpolation="nearest", antialias=False
    )
    assert "nearest pixel" in words(nearest)[3]


def test_a_sentence_fits_in_brackets() -> None:
    assert sentence(contract("pillow", 8, 8, 3)) == "stretched, bilinear, with antialias"
    assert sentence(contract("crop-bicubic", 8, 8, 3)) == "centred crop of 0.875, bicubic, with antialias"


def test_grey_is_as_the_formula_says() -> None:
    import numpy as np
    from PIL import Image

    colours = np.random.default_rng(0).integers(0, 256, (50, 50, 3)).astype(np.uint8)
    red, green, blue = np.moveaxis(colours.astype(int), 2, 0)
    formula = (19595 * red + 38470 * green + 7471 * blue + 32768) // 65536
    np.testing.assert_array_equal(np.asarray(Image.fromarray(colours).convert("L")), formula)
