"""Runs in the parent. What trains the networks of a search: machines of a cluster where there is one, else
this one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_edge.compression.tfmot_worker import ENVIRONMENT
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import machine
from resnet_edge.data.array_file_task import WriteArrays
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.models import ModelRequest
from resnet_edge.searching.context import Context
from resnet_edge.searching.sizes import Size
from resnet_edge.training.devices import ONE, devices_environment
from resnet_edge.training.recipe import Compressed, Recipe, training_grant
from resnet_edge.training.training_task import TrainingTask
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.cluster.connection import kind_of
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import training_data_grant
from resnet_edge.workers.pool import Worker
from resnet_edge.workers.progress import silent


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """What trains: the distributions that it is made of, and the variables of its process."""

    distributions: tuple[str, ...]
    environment: Mapping[str, str]


def by_keras() -> Trainer:
    """Keras 3, on the engine that the user chose."""
    environment = devices_environment(ONE)
    return Trainer(
        distributions=("keras", environment.get("KERAS_BACKEND", "tensorflow")), environment=environment
    )


BY_TFMOT = Trainer(
    distributions=("keras", "tf_keras", "tensorflow-model-optimization"), environment=ENVIRONMENT
)


class Trainings:
    """Of one search. A training on the cluster has a machine to itself, and is begun anew on another where
    that goes away; one here goes on behind the last epoch of a search that was ended."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._here: set[str] = set()
        self._nodes: set[str] = set()

    def run(
        self, name: str, task: TrainingTask, model: ModelRequest, recipe: Recipe, out: Path, by: Trainer
    ) -> Compressed:
        """`task`, which trains `model` by `recipe`, whose data `data` gave. Others have their turn while a
        machine of the cluster does it. Raises what the task raises, and ClusterUnavailable."""
        grant = training_grant(recipe, str(out), model)
        cluster = self.cluster_for(model, by)
        with ExitStack() as stack:
            if cluster is not None:
                turn, in_step = self._context.store.turn, self._context.request.times
                stack.enter_context(turn.training(works_here=cluster.may_work_here, in_step=in_step))
            stack.enter_context(training_run(out))
            worker = stack.enter_context(closing(self._worker(name, grant, by, cluster)))
            trained = worker.run(task)
            self._nodes.add(worker.node)
            return trained

    def data(self, data: str, size: Size) -> str:
        """DATA as trainings take it: where they are on a cluster, a file that goes there. An .npz goes as it
        is; of all else the images at that size are written to one, once for a study."""
        if self._context.cluster is None or (Path(data).suffix == ".npz" and Path(data).is_file()):
            return data
        context = self._context
        shape = (*size, context.facts.input_shape[2])
        key = {"data": data, "split": "train", "arrays": shape}

        def make(folder: Path) -> WrittenFile:
            grant = Grant(writes=(str(context.store.folder.absolute()),)) | training_data_grant(data)
            with closing(context.workers.worker("training images", context.on_progress, grant)) as worker:
                out = str(folder / "train.npz")
                return worker.run(WriteArrays(data=data, split="train", shape=shape, out=out))

        return context.store.once("data", key, WrittenFile, make)[1].path

    def notes(self) -> tuple[str, ...]:
        """What was trained on this machine though there is a cluster, and where unlike machines trained."""
        cluster = self._context.cluster
        if cluster is None:
            return ()
        ours = _computes_as(machine())
        unlike = sorted(
            one.node
            for one in cluster.connection.nodes
            if one.node in self._nodes and _computes_as(one.machine) != ours
        )
        if not unlike:
            return (*sorted(self._here),)
        return (
            *sorted(self._here),
            f"networks were trained on {', '.join(unlike)}, unlike this machine: trained elsewhere they may "
            "differ in their last bits, and with them in their answers",
        )

    def cluster_for(self, model: ModelRequest, by: Trainer) -> Cluster | None:
        """The one that can train it; None where this machine has to, which `notes` say."""
        cluster = self._context.cluster
        if cluster is None:
            return None
        if not Path(model.source).is_file():
            self._here.add(
                f"{model.source} is no file that goes to a cluster: its networks were trained on this machine"
            )
            return None
        for one in cluster.connection.nodes:
            lacks = [name for name in by.distributions if name not in one.versions]
            if lacks:
                self._here.add(
                    f"{one.node} of the cluster has no {lacks[0]}: what needs it was trained on this machine"
                )
                return None
        return cluster

    def _worker(self, name: str, grant: Grant, by: Trainer, cluster: Cluster | None) -> Worker:
        workers = self._context.workers
        if cluster is None:
            return workers.worker(name, self._context.on_progress, grant, env=by.environment)
        where = cluster.own_process
        return workers.worker(f"{name} on the cluster", silent, grant, where, env=by.environment)


def _computes_as(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the last bits of a training depend on: the processor, and the cores, which share sums out."""
    return (*kind_of(machine), machine.get("usable_cores"))
