"""Runs in a worker. Train a network of the zoo and write it as `.keras` with a sidecar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge import __version__, zoo
from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.core.head import Head
from resnet_edge.core.proportion import wilson
from resnet_edge.core.sidecar import Sidecar, State, Step, next_sidecar, write_sidecar
from resnet_edge.data.encoded import ImageRows
from resnet_edge.data.rows import evenly
from resnet_edge.evaluation.reader_check import checked_reader
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.functional.flat import copy_weights, flat_graph, return_weights
from resnet_edge.models.witness import IMAGES
from resnet_edge.training.checkpoint import open_checkpoint
from resnet_edge.training.fit import Fit, fit, share_right, training_details
from resnet_edge.training.placement import connected
from resnet_edge.training.recipe import Train, TrainResult
from resnet_edge.training.same_everywhere import model_content, same_everywhere
from resnet_edge.training.state import Right, change_ci95_pp, few_images_note, state_of
from resnet_edge.training.teacher import teacher_of
from resnet_edge.training.training_copy import training_copy
from resnet_edge.training.training_data import TrainingData, training_data
from resnet_edge.training.unfinished import finished_file
from resnet_edge.workers.progress import OnProgress, Progress, underway


def train(request: Train, on_progress: OnProgress) -> TrainResult:
    """Train as the recipe says; the parent has `unfinished.training_run` around it, and `peers.together`.

    Raises ModelError (teacher, start), UsageError, DataError, UnknownName, DeviceUnavailable, PeerLost;
    ResnetEdgeError where the training diverges."""
    recipe, out = request.recipe, Path(request.out)
    keras.utils.set_random_seed(recipe.seed)
    zoo.architecture(request.arch)
    placement = connected(request.devices, on_progress)
    with underway("images", recipe.data, on_progress):
        data = training_data(recipe, recipe.input_shape, None, on_progress)
    placement.agree(lambda: _same_everywhere(request, data))
    shape = data.fitted.images.shape[1:]
    model = zoo.build(request.arch, shape, data.classes)
    on_progress(Progress(step="train", note=_what(request, model, data), line=True))
    graph = flat_graph(model, shape)
    head = (Head.multilabel if data.several else Head.of_classes)(data.classes, "logits")
    how = Fit(head=head, teacher=teacher_of(recipe, shape, head, on_progress), placement=placement)

    def measured() -> Right | None:
        """`model` as it is now."""
        images = data.measured_on
        return None if images is None else share_right(model.predict_on_batch, images, how, on_progress)

    def state(file: str, right: Right | None) -> State:
        """Of what `file` holds."""
        return state_of(ModelRequest(file, head=head.kind), right, data.measured_on)

    if request.start is not None:
        _take_weights(model, request.start, shape, data.fitted.images, on_progress)
    right_before = None if request.start is None else measured()
    before = None if request.start is None else state(request.start, right_before)
    stamp = {
        "arch": request.arch,
        "start": before and before.sha256,
        "recipe": recipe.lasting(),
        "data": data.identity,
    }
    folder = open_checkpoint(out, stamp, request.resume, request.overwrite)
    with placement.scope(recipe.seed):
        copy = training_copy(graph, recipe.precision)
    history = fit(copy, data, recipe, folder, on_progress, how)
    return_weights(copy, graph)
    placement.leave()
    finished = finished_file(out)
    model.save(finished)
    right_after = measured()
    step = Step(
        step="train",
        title=f"{request.arch}, {recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}",
        command=request.command,
        resnet_edge=__version__,
        after=state(str(finished), right_after),
        before=before,
        top1_change_ci95_pp=change_ci95_pp(right_before, right_after),
        details={"arch": request.arch, **training_details(recipe, data, history, how)},
    )
    sidecar = Sidecar(data.class_names, (step,), head="multilabel" if data.several else None)
    if request.start is not None:
        known, _ = next_sidecar(request.start, step)
        sidecar = replace(sidecar, steps=known.steps)
    write_sidecar(finished, sidecar)
    held = history[-1].get("val_accuracy") if history else None
    count = 0 if held is None or data.held_out is None else len(data.held_out)
    return TrainResult(
        str(out),
        step.after,
        held,
        validation_n=count,
        validation_top1_ci95=None if held is None or not count else wilson(held * count, count),
        notes=few_images_note(step),
    )


def _same_everywhere(request: Train, data: TrainingData) -> dict[str, Any]:
    """What all processes of a training must agree on, by its name for people."""
    return {
        "--arch": request.arch,
        "--start": None if request.start is None else model_content(request.start),
        **same_everywhere(request.recipe, data),
    }


def _what(request: Train, model: keras.Model, data: TrainingData) -> str:
    """What is trained, on what, as a line before it begins."""
    size = "x".join(map(str, data.fitted.images.shape[1:]))
    held = "none held out" if data.held_out is None else f"{len(data.held_out):,} held out"
    return (
        f"{request.arch}: input {size}, {data.classes} {'labels' if data.several else 'classes'}, "
        f"{model.count_params():,} parameters; {len(data.fitted):,} training images, {held}"
    )


def _take_weights(
    model: keras.Model, start: str, shape: tuple[int, int, int], images: ImageRows, on_progress: OnProgress
) -> None:
    """Give `model` the weights of the MODEL `start`, as another loader reads it too on some of `images`.

    It may have been trained on images of another size, which no weight of a ResNet depends on. Raises
    UsageError unless that is the same network, layer by layer.
    """
    request = ModelRequest(start)
    opened = open_model(request, on_progress)
    own = opened.facts.input_shape
    if own[-1] != shape[-1]:
        raise UsageError(
            f"--start {start} takes images of {own[-1]} channel(s), and these have {shape[-1]}: "
            f"give --input-shape H,W,{own[-1]}, or leave out --start"
        )
    checked_reader(opened, request, _at_size(images, own[0], own[1]))
    given = flat_graph(opened.trackable, shape)
    fresh = flat_graph(model, shape)
    try:
        if [call.name for call in given.calls] != [call.name for call in fresh.calls]:
            raise ModelError("its layers have other names")
        copy_weights(given, model)
    except ModelError as error:
        raise UsageError(
            f"--start {start} is another network than --arch {model.name} on these images ({error}): "
            "leave one of them out, or choose a model that was trained with it"
        ) from error


def _at_size(images: ImageRows, height: int, width: int) -> ImageRows:
    """A few of `images` (N, H, W, C) at another size, by the nearest pixels: good enough for two loaders to
    be compared on."""
    if images.shape[1:3] == (height, width):
        return images
    few = images[evenly(len(images), IMAGES)]
    rows = np.arange(height) * images.shape[1] // height
    columns = np.arange(width) * images.shape[2] // width
    sampled: NDArray[Any] = few[:, rows][:, :, columns]
    return sampled
