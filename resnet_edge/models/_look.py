"""Runs in the parent. A look into a file of the user's by a worker that imports no framework."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.budget import PROMISE
from resnet_edge.models import ModelRequest
from resnet_edge.workers.process import WorkerProcess, log_folder
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """Nothing was wrong with it."""


@dataclass(frozen=True, kw_only=True)
class ScanKerasFile(Task[Sketch], runs="resnet_edge.models.keras_file:scan", reads=("model.source",)):
    """What the weights of a .keras file say of themselves."""

    model: ModelRequest


@dataclass(frozen=True, kw_only=True)
class ScanHdf5File(Task[Sketch], runs="resnet_edge.models.h5:scan", reads=("model.source",)):
    """All that is refused of an .h5 file before it is built."""

    model: ModelRequest


def look_at(task: Task[Sketch]) -> None:
    """Read the file as far as it can be refused without building the model. Raises what the task's function
    raises; WorkerFailed where the file makes a library crash, or take more than a file may cost that is
    refused."""
    with log_folder() as logs, WorkerProcess("reader", logs / "reader.log", memory=PROMISE) as worker:
        worker.run(task)
