"""Runs in a worker. A network as one for images of another size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from resnet_edge import __version__
from resnet_edge.compression.input_size_task import RebuildModel
from resnet_edge.core.errors import ModelError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.sidecar import Step, next_sidecar, write_sidecar
from resnet_edge.models import open_model
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.functional.layer_runs import run_layers
from resnet_edge.models.functional.resized import resized
from resnet_edge.models.witness import distance
from resnet_edge.training.saved_model import as_saved
from resnet_edge.training.state import state_of
from resnet_edge.workers.progress import OnProgress, Progress, silent

PROBE = 2
"""Images of noise on which both must give the same."""
ROUNDING = 1e-5
"""The largest difference between the same layers, run one by one and as a graph, as a part of the largest
answer: float32 sums may be taken in another order."""


def rebuild_model(task: RebuildModel, on_progress: OnProgress) -> WrittenFile:
    """Raises ModelError where a layer is in the way, which it names, and what opening the model raises."""
    on_progress(Progress(step="input size", note="x".join(map(str, task.shape))))
    opened = open_model(task.model, silent)
    facts, (height, width, channels) = opened.facts, task.shape
    if not isinstance(opened.trackable, keras.Model):
        raise ModelError(f"{task.model.source} is a SavedModel, whose layers are not known: give the .keras")
    if channels != facts.input_shape[2]:
        raise ModelError(
            f"{task.model.source} takes images of {facts.input_shape[2]} channels, and not of {channels}: "
            "only height and width can change"
        )
    graph = flat_graph(opened.trackable, facts.input_shape)
    model = resized(graph, height, width)
    images = np.random.default_rng(0).random((PROBE, *task.shape), np.float32)
    theirs = run_layers(graph, images)
    ours = np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))
    if (difference := distance(ours, theirs)) > ROUNDING:
        raise ModelError(
            f"{task.model.source} gives other answers when it is rebuilt for images of {height} x {width} "
            f"(by {difference:.1e}): leave this size out, and report this"
        )
    out = Path(task.out)
    model.save(out)
    rebuilt = replace(as_saved(task.model, facts, out), input_shape=None)  # the size is its own now
    step = Step(
        step="rebuild",
        title=f"input of {height} x {width} in place of {facts.input_shape[0]} x {facts.input_shape[1]}",
        command=task.command,
        resnet_edge=__version__,
        before=state_of(task.model, None, None),
        after=state_of(rebuilt, None, None),
        details={"input_shape": list(task.shape)},
    )
    sidecar, _ = next_sidecar(task.model.source, step, facts.declared)
    write_sidecar(out, sidecar)
    return WrittenFile(task.out)
