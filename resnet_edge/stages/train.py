"""Runs in a worker. Train a network of the zoo and write it as `.keras` with a sidecar."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import keras

from resnet_edge import __version__, zoo
from resnet_edge.core.progress import Report
from resnet_edge.core.sidecar import Sidecar, Step, write_sidecar
from resnet_edge.models import ModelRequest
from resnet_edge.models.flat import flat_graph, return_weights
from resnet_edge.stages.checkpoint import open_checkpoint
from resnet_edge.stages.fit import Fit, fit, save, top1, training_details
from resnet_edge.stages.recipe import TrainRequest, TrainResult
from resnet_edge.stages.state import state_of
from resnet_edge.stages.teacher import teacher_of
from resnet_edge.stages.training_copy import training_copy
from resnet_edge.stages.training_data import training_data


def train(request: TrainRequest, report: Report) -> TrainResult:
    """Train as the recipe says. Raises UsageError, DataError, UnknownName; ResnetEdgeError where
    the training diverges."""
    recipe, out = request.recipe, Path(request.out)
    keras.utils.set_random_seed(recipe.seed)
    zoo.architecture(request.arch)
    data = training_data(recipe, recipe.input_shape, None, report)
    shape = data.fitted.images.shape[1:]
    model = zoo.build(request.arch, shape, data.classes)
    graph = flat_graph(model, shape)
    how = Fit(teacher=teacher_of(recipe, shape, data.classes, report))
    stamp = {"arch": request.arch, "recipe": asdict(recipe), "data": data.identity}
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
