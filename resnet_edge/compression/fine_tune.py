"""Runs in a worker. A network trained on, with no weight less."""

from __future__ import annotations

from pathlib import Path

import keras

from resnet_edge import __version__
from resnet_edge.compression.fine_tune_task import FineTune
from resnet_edge.core.errors import ModelError
from resnet_edge.core.sidecar import Step, lineage_of, next_sidecar, write_sidecar
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.reader_check import checked_reader, witness_note
from resnet_edge.models import open_model
from resnet_edge.models.functional.flat import flat_graph, return_weights
from resnet_edge.training.checkpoint import open_checkpoint
from resnet_edge.training.fit import Fit, fit, share_right, training_details
from resnet_edge.training.recipe import Compressed
from resnet_edge.training.saved_model import as_saved, lost_ranges_note, preprocessing_note
from resnet_edge.training.state import Right, change_ci95_pp, few_images_note, state_of
from resnet_edge.training.teacher import teacher_of
from resnet_edge.training.training_copy import training_copy
from resnet_edge.training.training_data import training_data
from resnet_edge.training.unfinished import finished_file
from resnet_edge.workers.progress import OnProgress, underway


def fine_tune(request: FineTune, on_progress: OnProgress) -> Compressed:
    """The parent has `unfinished.training_run` around it. Raises ModelError, UsageError, DataError;
    ResnetEdgeError where the training diverges."""
    recipe, out = request.recipe, Path(request.out)
    keras.utils.set_random_seed(recipe.seed)
    with underway("model", f"reading {request.model.source}", on_progress):
        opened = open_model(request.model, on_progress)
    facts, model = opened.facts, opened.trackable
    if not isinstance(model, keras.Model):
        raise ModelError(
            f"{request.model.source} is a SavedModel, which has no layers to train: give the .keras file"
        )
    lineage_of(request.model.source, facts.sha256)  # damaged, it is told now, not after training
    graph = flat_graph(model, facts.input_shape)
    data = training_data(recipe, facts.input_shape, facts.head, on_progress)
    read = checked_reader(opened, request.model, data.fitted.images)
    how = Fit(
        head=facts.head,
        label="fine-tune",
        inputs=lambda images: preprocessed(images, facts.preprocessing),
        teacher=teacher_of(recipe, facts.input_shape, facts.head, on_progress, opened),
    )
    stamp = {"model": facts.sha256, "recipe": recipe.lasting(), "data": data.identity}
    folder = open_checkpoint(out, stamp, False, request.overwrite)
    measured = data.measured_on

    def right() -> Right | None:
        """`model` as it is now."""
        return None if measured is None else share_right(model.predict_on_batch, measured, how, on_progress)

    before = right()
    copy = training_copy(graph, recipe.precision)
    history = fit(copy, data, recipe, folder, on_progress, how)
    return_weights(copy, graph)
    after, file = right(), finished_file(out)
    model.save(file)
    step = Step(
        step="fine-tune",
        title=f"{recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}",
        command=request.command,
        resnet_edge=__version__,
        after=state_of(as_saved(request.model, facts, file), after, measured),
        before=state_of(request.model, before, measured),
        top1_change_ci95_pp=change_ci95_pp(before, after),
        details=training_details(recipe, data, history, how),
    )
    sidecar, note = next_sidecar(request.model.source, step, facts.declared)
    write_sidecar(file, sidecar)
    notes = (*few_images_note(step), *preprocessing_note(facts), *lost_ranges_note(facts))
    return Compressed(str(out), step, (*notes, *witness_note(read), *filter(None, [note])))
