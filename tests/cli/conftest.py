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
    found = Given(folder / "tiny.keras", folder / "test.npz", folder / "calibration.npz")
    with warnings.catch_warnings():
        write_classifier(found.model)
    images, labels = tinted_images(3000, seed=2)
    np.savez(found.data, images=images, labels=labels, class_names=np.array(NAMES))
    np.savez(found.calibration, images=tinted_images(100, seed=3)[0])
    return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
