"""Runs in a worker. Train a network of the zoo and write it as `.keras` with a sidecar."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import keras

from resnet_edge import __version__, zoo
from resnet_edge.core.errors import ModelError, UsageError, first_line
from resnet_edge.core.progress import Report
from resnet_edge.core.sidecar import Sidecar, Step, write_sidecar
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.flat import copy_weights, flat_graph, return_weights
from resnet_edge.stages.checkpoint import open_checkpoint
from resnet_edge.stages.fit import Fit, fit, save, top1, training_details
from resnet_edge.stages.recipe import TrainRequest, TrainResult
from resnet_edge.stages.state import state_of
from resnet_edge.stages.teacher import teacher_of
from resnet_edge.stages.training_copy import training_copy
from resnet_edge.stages.training_data import training_data


def train(request: TrainRequest, report: Report) -> TrainResult:
    """Train as the recipe says. Raises ModelError (teacher, start), UsageError, DataError,
    UnknownName; ResnetEdgeError where the training diverges."""
    recipe, out = request.recipe, Path(request.out)
    keras.utils.set_random_seed(recipe.seed)
    zoo.architecture(request.arch)
    data = training_data(recipe, recipe.input_shape, None, report)
    shape = data.fitted.images.shape[1:]
    model = zoo.build(request.arch, shape, data.classes)
    graph = flat_graph(model, shape)
    started = None if request.start is None else _begun(model, request.start, shape, report)
    how = Fit(teacher=teacher_of(recipe, shape, data.classes, report))
    stamp = {"arch": request.arch, "start": started, "recipe": asdict(recipe), "data": data.identity}
    folder = open_checkpoint(out, stamp, request.resume)
    copy = training_copy(graph, recipe.precision)
    history = fit(copy, data, recipe, folder, report, how)
    return_weights(copy, graph)
    measured = data.measured_on
    score = None
    if measured is not None:
        score = top1(lambda images: model.predict_on_batch(images), measured, how, report)
    save(model, folder, out)
    state = state_of(ModelRequest(str(out)), score, measured)
    details = {"arch": request.arch, **training_details(recipe, data, history, how)}
    step = Step(
        "train",
        f"{request.arch}, {recipe.epochs} epochs",
        request.command,
        __version__,
        state,
        details=details,
    )
    write_sidecar(out, Sidecar(data.class_names, (step,)))
    shutil.rmtree(folder)
    return TrainResult(str(out), state, history[-1].get("val_accuracy") if history else None)


def _begun(model: keras.Model, start: str, shape: tuple[int, int, int], report: Report) -> str:
    """Give `model` the weights of the MODEL `start`; tells the SHA-256 of what they came from.

    Raises UsageError unless that is the same network, layer by layer.
    """
    opened = open_model(ModelRequest(start), report)
    try:
        copy_weights(flat_graph(opened.trackable, shape), model)
    except (ModelError, ValueError, AttributeError) as error:
        raise UsageError(
            f"--start {start} is another network than --arch {model.name} on these images "
            f"({first_line(error)}): leave one of them out, or choose a model that was trained with it"
        ) from error
    return opened.facts.sha256
