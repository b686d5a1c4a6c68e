"""Whether the weights that a program loads reach its model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import pytest
from keras import layers

from resnet_edge.models._loaded_weights import watching
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _net(classes: int = 4, names: tuple[str, str] = ("conv", "last")) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name=names[0]),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, name=names[1]),
        ]
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trained = _net()
    trained.save_weights(tmp_path / "net.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained.save(tmp_path / "net.h5")
    return tmp_path


def _loaded(model: keras.Model, *files: Path, **options: bool) -> str:
    with watching() as loaded:
        for file in files:
            model.load_weights(file, **options)
    return loaded.missing(model)


def test_weights_that_reach_every_layer_are_no_matter(folder: Path) -> None:
    weights = folder / "net.weights.h5"
    assert _loaded(_net(), weights) == _loaded(_net(), weights, weights) == _loaded(_net()) == ""


@pytest.mark.parametrize(
    ("build", "file", "option", "says"),
    [
        (lambda: _net(classes=7), "net.weights.h5", "skip_mismatch", r"left 1 of 2 layers .* \(last\)"),
        (lambda: _net(names=("a", "b")), "net.h5", "by_name", r"left 2 of 2 layers .* \(a, b\)"),
        (lambda: _net(names=("conv", "b")), "net.h5", "by_name", r"left 1 of 2 layers .* \(b\)"),
    ],
)
def test_layers_that_kept_their_weights_are_named(
    folder: Path, build: Callable[[], keras.Model], file: str, option: str, says: str
) -> None:
    note = _loaded(build(), folder / file, **{option: True})
    assert re.search(says, note), note


def test_a_loading_that_fails_and_is_caught_is_seen(folder: Path) -> None:
    model = _net(classes=7)
    with watching() as loaded, pytest.raises(ValueError, match="could not be loaded"):
        model.load_weights(folder / "net.weights.h5")
    assert re.search(r"left 1 of 2 layers .* \(last\)", loaded.missing(model))


def test_a_second_file_may_bring_the_rest(folder: Path) -> None:
    other = _net(classes=7)
    other.save_weights(folder / "head.weights.h5")
    model = _net(classes=7)
    with watching() as loaded:
        model.load_weights(folder / "net.weights.h5", skip_mismatch=True)
        model.load_weights(folder / "head.weights.h5")
    assert loaded.missing(model) == ""


def test_other_warnings_are_still_shown() -> None:
    with pytest.warns(UserWarning, match="of the user's own"), watching():
        warnings.warn("of the user's own", stacklevel=1)
