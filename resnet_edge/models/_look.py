"""Runs in the parent. A look into a file of the user's by a worker that imports no framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resnet_edge.core.budget import PROMISE
from resnet_edge.workers.process import WorkerProcess, log_folder

if TYPE_CHECKING:
    from resnet_edge.models import ModelRequest


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """Nothing was wrong with it."""


def look_with(function: str, request: ModelRequest) -> None:
    """Call a function of `resnet_edge.models` (`module:name`) on `request`, which reads the file as far as it
    can be refused without building the model. Raises what it raises; WorkerFailed where the file makes a
    library crash, or take more than a file may cost that is refused."""
    with log_folder() as logs, WorkerProcess("reader", logs / "reader.log", memory=PROMISE) as worker:
        worker.call(f"resnet_edge.models.{function}", request, Sketch)
