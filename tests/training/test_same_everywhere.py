"""Tests of training.same_everywhere: files count by their content, wherever they lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.training.recipe import Recipe
from resnet_edge.training.same_everywhere import same_everywhere
from resnet_edge.training.training_data import LabelledImages, TrainingData

pytest.importorskip("jax")
DATA = TrainingData(
    fitted=LabelledImages(np.zeros((2, 4, 4, 1)), np.arange(2), "two"),
    held_out=None,
    test=None,
    classes=2,
    class_names=(),
    identity={"source": "here", "n": 2, "images_sha256": "a", "labels_sha256": "b"},
)


def test_the_place_of_a_file_is_no_difference(tmp_path: Path) -> None:
    for name in ("one.keras", "other.keras"):
        (tmp_path / name).write_bytes(b"weights")
    one = Recipe(data="/here", epochs=2, teacher=str(tmp_path / "one.keras"))
    other = replace(one, data="/there", teacher=str(tmp_path / "other.keras"))
    elsewhere = replace(DATA, identity={**DATA.identity, "source": "there"})
    assert same_everywhere(one, DATA) == same_everywhere(other, elsewhere)


def test_what_decides_the_weights_is_a_difference(tmp_path: Path) -> None:
    recipe = Recipe(data="d", epochs=2, teacher="resnet20")
    base = same_everywhere(recipe, DATA)
    changes = {
        "--seed": same_everywhere(replace(recipe, seed=1), DATA),
        "--batch-size": same_everywhere(replace(recipe, batch_size=64), DATA),
        "--teacher": same_everywhere(replace(recipe, teacher="resnet32"), DATA),
        "set of images": same_everywhere(
            recipe, replace(DATA, identity={**DATA.identity, "images_sha256": "c"})
        ),
    }
    for name, changed in changes.items():
        assert {key for key in base if base[key] != changed[key]} == {name}
