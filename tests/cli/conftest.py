"""A tiny classifier with its images, and a folder to run in."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conversion import NAMES, Place, tinted_images, write_classifier


@dataclass(frozen=True)
class Given:
    """Files to convert and to prove with."""

    model: Path
    data: Path
    calibration: Path


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("given")
    files = Given(folder / "tiny.keras", folder / "test.npz", folder / "calibration.npz")
    with warnings.catch_warnings():
        write_classifier(files.model)
    images, labels = tinted_images(3000, seed=2)
    np.savez(files.data, images=images, labels=labels, class_names=np.array(NAMES))
    np.savez(files.calibration, images=tinted_images(100, seed=3)[0])
    return files


@pytest.fixture(scope="session")
def converted(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `convert` wrote of it: fp32 and int8, in both formats."""
    place = Place(tmp_path_factory.mktemp("convert"))
    ended = place.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--schemes", "fp32,int8", "--latency-seconds", "0", "--max-drop", "2", "--out", "dist"),
    )
    assert ended.code == 0, ended.err
    return place.here / "dist"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
