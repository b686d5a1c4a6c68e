"""Tests of data.needed_images, with its reader in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.data.images import prepare
from resnet_edge.data.images_task import PreparedImages, PrepareImages
from resnet_edge.data.needed_images import CALIBRATION_LIMIT, HELD_OUT, NeededImages
from resnet_edge.workers.progress import silent

FACTS = ModelFacts(
    name="net",
    source="net.keras",
    sha256="",
    parameters=0,
    macs=None,
    input_shape=(4, 4, 1),
    head=Head.of_classes(2, "logits"),
    class_names=(),
    preprocessing=PRESETS["model"],
)


class Here:
    """A worker that runs in this process."""

    def run(self, task: PrepareImages, *_: Any) -> PreparedImages:
        return prepare(task, silent)


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name, count in (("data", 2000), ("few", 40), ("more", CALIBRATION_LIMIT + 100)):
        images = random.integers(0, 256, (count, 4, 4, 1)).astype(np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.arange(count) % 2)
    return tmp_path


def read(folder: Path, data: str, calibration: str | None, calibrates: bool) -> tuple[int, int | None]:
    """How many images there are of each."""
    with Workspace(folder / "dist") as workspace:
        needed = NeededImages(Here(), FACTS, workspace)  # type: ignore[arg-type]  # it runs what a worker would
        given = None if calibration is None else str(folder / f"{calibration}.npz")
        prepared = needed.read(str(folder / f"{data}.npz"), given, calibrates=calibrates)
    return prepared.evaluation.n, None if prepared.held_out is None else prepared.held_out.n


@pytest.mark.parametrize(
    ("data", "calibration", "calibrates", "counts"),
    [
        ("data", None, False, (2000, None)),
        ("data", None, True, (2000 - HELD_OUT, HELD_OUT)),
        ("few", None, True, (32, 8)),  # a fifth
        ("data", "few", True, (2000, 40)),
        ("data", "few", False, (2000, None)),
        ("data", "more", True, (2000, CALIBRATION_LIMIT)),
    ],
)
def test_images_are_held_out_only_where_none_are_given_and_some_are_needed(
    archives: Path, data: str, calibration: str | None, calibrates: bool, counts: tuple[int, int | None]
) -> None:
    assert read(archives, data, calibration, calibrates) == counts
