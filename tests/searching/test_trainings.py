"""Tests of searching.trainings: where a training goes, and the images that go with it. A real cluster trains
in tests/cli/test_search_cluster.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.machine import machine
from resnet_edge.data.load import load
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.models import ModelRequest
from resnet_edge.searching.context import Context
from resnet_edge.searching.store import SearchStore
from resnet_edge.searching.trainings import BY_TFMOT, Trainings, by_keras
from resnet_edge.workers.cluster.connection import ClusterConnection
from resnet_edge.workers.cluster.messages import ClusterNode
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent

ALL = {name: "1.0" for name in (*by_keras().distributions, *BY_TFMOT.distributions)}
NODE = ClusterNode(node="a", cpus=2, machine=machine(), versions=ALL)


def cluster(*nodes: ClusterNode) -> Cluster:
    """One whose machines are known, and which nobody has to speak with."""
    return Cluster(connection=cast(ClusterConnection, SimpleNamespace(nodes=nodes)))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Any]:
    """As much as a training needs of it."""
    (tmp_path / "logs").mkdir()
    with (
        SearchStore(tmp_path / "study.files") as store,
        WorkerPool(tmp_path / "logs", grant=Grant(writes=(str(tmp_path),))) as workers,
    ):
        yield SimpleNamespace(
            cluster=cluster(NODE),
            store=store,
            workers=workers,
            facts=SimpleNamespace(input_shape=(8, 10, 3)),
            on_progress=silent,
        )


def trainings(context: Any, *nodes: ClusterNode) -> Trainings:
    context.cluster = cluster(*nodes) if nodes else context.cluster
    return Trainings(cast(Context, context))


@pytest.fixture
def model(tmp_path: Path) -> ModelRequest:
    (tmp_path / "net.keras").touch()
    return ModelRequest(str(tmp_path / "net.keras"))


def test_a_file_is_trained_on_the_cluster(context: Any, model: ModelRequest) -> None:
    ours = trainings(context, NODE, msgspec.structs.replace(NODE, node="b"))
    assert ours.cluster_for(model, by_keras()) is context.cluster
    assert ours.cluster_for(model, BY_TFMOT) is context.cluster
    assert ours.notes() == ()


def test_without_a_cluster_this_machine_trains(context: Any, model: ModelRequest) -> None:
    context.cluster = None
    ours = trainings(context)
    assert ours.cluster_for(model, by_keras()) is None
    assert ours.notes() == ()
    assert ours.data("photos", (8, 10)) == "photos"


def test_what_is_no_file_is_trained_here_and_it_is_said(context: Any, model: ModelRequest) -> None:
    ours = trainings(context)
    assert ours.cluster_for(replace(model, source="mine:factory"), by_keras()) is None
    assert ours.cluster_for(replace(model, source="mine:factory"), by_keras()) is None
    (note,) = ours.notes()
    assert note.startswith(
        "mine:factory is no file that goes to a cluster: its networks were trained on this"
    )


def test_what_a_machine_has_no_package_for_is_trained_here_and_it_is_said(
    context: Any, model: ModelRequest
) -> None:
    without = {name: version for name, version in ALL.items() if name != "tf_keras"}
    ours = trainings(context, NODE, msgspec.structs.replace(NODE, node="b", versions=without))
    assert ours.cluster_for(model, by_keras()) is context.cluster
    assert ours.cluster_for(model, BY_TFMOT) is None
    assert ours.notes() == ("b of the cluster has no tf_keras: what needs it was trained on this machine",)


def test_arrays_go_as_they_are_and_photos_as_arrays(context: Any, tmp_path: Path) -> None:
    arrays, photos = tmp_path / "train.npz", tmp_path / "photos"
    np.savez(arrays, images=np.zeros((2, 8, 10, 3), np.uint8), labels=np.arange(2))
    for number in range(4):
        (photos / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 25, 3), 40 * number, np.uint8)).save(
            photos / f"{number % 2}/{number}.png"
        )
    ours = trainings(context)
    assert ours.data(str(arrays), (8, 10)) == str(arrays)
    there = ours.data(str(photos), (8, 10))
    np.testing.assert_array_equal(
        load(there, "train").images[:], load(str(photos), "train", (8, 10, 3)).images[:]
    )
    before = Path(there).stat().st_mtime_ns
    assert trainings(context).data(str(photos), (8, 10)) == there
    assert Path(there).stat().st_mtime_ns == before, "once for a study"
    assert ours.data(str(photos), (4, 5)) != there
