"""How errors grow, on images of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.diagnosis import error_growth as module
from resnet_edge.diagnosis.error_growth import error_growth
from resnet_edge.diagnosis.error_growth_task import MeasureErrorGrowth
from resnet_edge.workers.progress import Progress
from tests.formats import nets
from tests.graph.road import Road


def measured(net: Road, folder: Path, n: int, scheme: str = "int8") -> tuple[ErrorGrowth, list[Progress]]:
    np.save(folder / "images.npy", net.images)
    request = MeasureErrorGrowth(
        path=str(net.portable(scheme)),
        file=f"net.{scheme}.tflite",
        exact=str(net.float_graph),
        head=Head.of_classes(nets.CLASSES, "logits"),
        images=str(folder / "images.npy"),
        n=n,
    )
    progress: list[Progress] = []
    return error_growth(request, progress.append), progress


def test_each_layer_is_measured_on_so_many_images(roads: Callable[[str], Road], tmp_path: Path) -> None:
    growth, progress = measured(roads("residual_v1"), tmp_path, 6)
    assert (growth.artifact, growth.n) == ("net.int8.tflite", 6)
    assert len(growth.layers) > 4
    assert progress[0].step == "errors of net.int8.tflite"
    assert (progress[-1].done, progress[-1].total) == (6, 6)


def test_more_than_there_are_are_all_of_them(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    assert measured(net, tmp_path, 10_000)[0].n == len(net.images)


def test_where_time_is_up_one_image_is_measured_all_the_same(
    roads: Callable[[str], Road], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    growth, _ = measured(roads("residual_v1"), tmp_path, 6)
    assert growth.n == 1
    assert len(growth.layers) > 4
