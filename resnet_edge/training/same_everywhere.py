"""Runs in a worker. What the processes of one training must agree on: else they would train something that
none of them was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from resnet_edge import __version__
from resnet_edge.core.artifact import sha256_of
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_data import TrainingData

BY_CONTENT = ("data", "teacher", "titles")
"""Fields of a recipe that name files, which may lie elsewhere on another machine: their content counts."""


def same_everywhere(recipe: Recipe, data: TrainingData) -> dict[str, Any]:
    """By what it is called, for people."""
    options = {name: value for name, value in recipe.lasting().items() if name not in BY_CONTENT}
    return {
        "version of resnet-edge, Keras or JAX": _versions(),
        **{f"--{name.replace('_', '-')}": value for name, value in options.items()},
        "--teacher": None if recipe.teacher is None else model_content(recipe.teacher),
        "set of images": data.identity["images_sha256"],
        "set of labels": data.identity["labels_sha256"],
    }


def model_content(source: str) -> str:
    """Of a MODEL: the hash of its file, or its name where it is no single file."""
    file = Path(source)
    return sha256_of(file) if file.is_file() else source


def _versions() -> list[str]:
    import jax

    return [__version__, keras.__version__, jax.__version__]
