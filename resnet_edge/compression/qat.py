"""Runs in a worker. Quantization-aware training: a Keras model fine-tuned with the noise of int8.

      MODEL (Keras 3) ─► head ─► images on their int8 grid ─┐
                      └► trunk ─► tf_keras with fake quantization ─► fitted
      FILE.keras: the same structure ◄─ float weights ◄────────────────┤
                  its learned ranges ◄─────────────────────────────────┘

`convert` gives those ranges to int8 files, TFLite and ONNX alike, instead of calibrated ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from resnet_edge import __version__
from resnet_edge.compression.qat_task import FineTuneForInt8, rate_after
from resnet_edge.compression.tfmot.bridge import to_keras, to_tf_keras
from resnet_edge.compression.tfmot.head import split_head
from resnet_edge.compression.tfmot.mirrored import mirrored, noise_note
from resnet_edge.compression.tfmot.quantize import FakeQuantized, fake_quantized, masks_of
from resnet_edge.compression.tfmot.quantize_points import points_of
from resnet_edge.core.answers import of_output
from resnet_edge.core.errors import ModelError, ResnetEdgeError
from resnet_edge.core.proportion import wilson
from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.sidecar import Step, lineage_of, next_sidecar, write_sidecar
from resnet_edge.data.pixels import preprocessed
from resnet_edge.data.rows import evenly
from resnet_edge.evaluation.reader_check import checked_reader, witness_note
from resnet_edge.models import OpenedModel, open_model
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from resnet_edge.models.learned_ranges import INPUT, embed
from resnet_edge.training.checkpoint import open_checkpoint
from resnet_edge.training.fit import Fit, fit, share_right, training_details
from resnet_edge.training.recipe import Compressed
from resnet_edge.training.saved_model import as_saved, preprocessing_note
from resnet_edge.training.state import Right, change_ci95_pp, few_images_note, state_of
from resnet_edge.training.teacher import teacher_of
from resnet_edge.training.training_data import TrainingData, training_data
from resnet_edge.training.unfinished import finished_file
from resnet_edge.workers.progress import OnProgress, tracked, underway

Pixels = NDArray[np.float32]
OBSERVED = 16
"""Batches of training images that the activation ranges begin with."""


def qat(request: FineTuneForInt8, on_progress: OnProgress) -> Compressed:
    """Fine-tune as the recipe says.

    Raises ModelError (a layer that cannot be quantized in training, a model without a graph),
    UsageError, DataError, UnknownName, DeviceUnavailable; ResnetEdgeError where the training diverges.
    """
    recipe, out = request.recipe, Path(request.out)
    placement = mirrored(request.devices, on_progress)
    keras.utils.set_random_seed(recipe.seed)
    with underway("model", f"reading {request.model.source}", on_progress):
        opened = open_model(request.model, on_progress)
    facts = opened.facts
    lineage = lineage_of(request.model.source, facts.sha256)  # damaged, it is told now, not after training
    if request.default_rate:
        recipe = replace(recipe, learning_rate=rate_after(lineage.steps))
    with placement.scope(recipe.seed):
        trunk = _Trunk(opened, request.model.source, request.dense_scales)
    data = training_data(recipe, facts.input_shape, facts.head, on_progress)
    read = checked_reader(opened, request.model, data.fitted.images)
    how = Fit(
        head=of_output(facts.head, "logits"),
        label="qat",
        inputs=trunk.inputs(data, recipe.batch_size),
        teacher=teacher_of(recipe, facts.input_shape, facts.head, on_progress, opened),
        framework=tf_keras,
        placement=placement,
    )
    stamp = {"model": facts.sha256, "recipe": recipe.lasting(), "data": data.identity}
    if request.dense_scales != "per-tensor":
        stamp["dense_scales"] = request.dense_scales
    folder = open_checkpoint(out, stamp, request.resume, request.overwrite)
    scores = _Scores(data, how, Fit(head=facts.head), on_progress)
    before = scores.of(lambda images: opened.network(trunk.prepared(images)), plain=True)
    quantized = trunk.quantized
    quantized.observe(_observed(data, how, recipe.batch_size, on_progress))
    history = fit(quantized.model, data, recipe, folder, on_progress, how)
    quantized.refresh()
    rounded = scores.of(quantized.model.predict_on_batch)
    zeros = trunk.return_weights()
    after = scores.of(lambda images: opened.network(trunk.prepared(images)), plain=True)
    ranges = {**quantized.ranges(), trunk.input_name: trunk.input_range}
    file = finished_file(out)
    opened.trackable.save(file)
    embed(file, ranges)
    measured = data.measured_on
    step = Step(
        step="qat",
        title=f"trained for int8, {recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}",
        command=request.command,
        resnet_edge=__version__,
        after=state_of(as_saved(request.model, facts, file), after, measured),
        before=state_of(request.model, before, measured),
        top1_change_ci95_pp=change_ci95_pp(before, after),
        details={
            "learned_ranges": len(ranges),
            "top1_fake_quantized": None if rounded is None else float(rounded.mean()),
            "top1_float": None if after is None else float(after.mean()),
            "kept_zeros": zeros,
            "dense_scales": request.dense_scales,
            **training_details(recipe, data, history, how),
        },
    )
    sidecar, note = next_sidecar(request.model.source, step, facts.declared)
    write_sidecar(file, sidecar)
    notes = (
        *few_images_note(step),
        *_notes(trunk, rounded),
        *preprocessing_note(facts),
        *witness_note(read),
        *noise_note(trunk.quantized.model, placement),
        *filter(None, [note]),
    )
    return Compressed(str(out), step, notes)


class _Trunk:
    """The part of the model that is trained for int8, and what stands before it."""

    def __init__(self, opened: OpenedModel, source: str, dense_scales: DenseScales) -> None:
        if not isinstance(opened.trackable, keras.Model):
            raise ModelError(f"{source} is a SavedModel, which has no layers to train: give the .keras file")
        self._facts = opened.facts
        self.head, self._graph = split_head(flat_graph(opened.trackable, opened.facts.input_shape))
        points = points_of(self._graph)
        self._network = to_tf_keras(self._graph)
        self._masks = masks_of(self._network)
        self.quantized: FakeQuantized = fake_quantized(self._network, points, self._masks, dense_scales)
        self.frozen = sum(1 for layer in self._network.layers if layer.weights and not layer.trainable)
        self.input_name = (_last(self.head.graph) if self.head else "") + INPUT
        self.input_range = (0.0, 0.0)

    def prepared(self, images: Pixels) -> Pixels:
        """Raw pixels as the Keras model takes them."""
        return preprocessed(images, self._facts.preprocessing)

    def _entering(self, images: Pixels) -> Pixels:
        images = self.prepared(images)
        return self.head(images) if self.head else images

    def inputs(self, data: TrainingData, batch: int) -> Any:
        """From (B, H, W, C) raw pixels to what the trunk takes, on the grid that it has in int8:
        that of the images of 0 to 255, or else of the training images."""
        shape = (1, *self._facts.input_shape)
        if self._facts.preprocessing.takes_pixels:
            seen = [self._entering(np.full(shape, value, np.float32)) for value in (0, 255)]
        else:
            rows = range(0, len(data.fitted), batch)
            seen = [self._entering(data.fitted.images[row : row + batch].astype(np.float32)) for row in rows]
        low, high = min(0.0, *(float(s.min()) for s in seen)), max(0.0, *(float(s.max()) for s in seen))
        self.input_range = low, high

        def inputs(images: Pixels) -> Pixels:
            rounded = tf.quantization.fake_quant_with_min_max_args(self._entering(images), low, high)
            return np.asarray(rounded)

        return inputs

    def return_weights(self) -> int:
        """Give the fine-tuned weights to the user's model; tells how many zeros were kept."""
        for name, values in self.quantized.weights().items():
            self._network.get_layer(name).set_weights(values)
        kept = 0
        for name, mask in masks_of(self._network).items():
            before = self._masks.get(name)
            if before is not None:
                kept += int(np.count_nonzero((mask == 0) & (before == 0)))
        if kept != sum(int(np.count_nonzero(mask == 0)) for mask in self._masks.values()):
            raise ResnetEdgeError("the fine-tuning lost zeros of the pruned kernels; nothing was written")
        to_keras(self._network, self._graph)
        return kept


@dataclass(frozen=True)
class _Scores:
    """What is right of the images of the data that are for it, by the network that is trained (`how`) or by
    the model itself (`plain`); None where there are none."""

    data: TrainingData
    how: Fit
    plain: Fit
    on_progress: OnProgress

    def of(self, network: Any, plain: bool = False) -> Right | None:
        """`plain`: the network takes raw pixels, and not what the trunk takes."""
        images = self.data.measured_on
        if images is None:
            return None
        return share_right(network, images, self.plain if plain else self.how, self.on_progress)


def _last(graph: FlatGraph) -> str:
    call = graph.producer(graph.output)
    assert call is not None  # a head has at least one call
    return call.name


def _observed(data: TrainingData, how: Fit, batch: int, on_progress: OnProgress) -> Iterator[Pixels]:
    """Batches spread over the training images, as they are."""
    images = data.fitted.images
    starts = range(0, max(1, len(images) - batch + 1), batch)
    chosen = evenly(len(starts), OBSERVED)
    rows = (images[starts[k] : starts[k] + batch].astype(np.float32) for k in chosen)
    yield from tracked(map(how.inputs, rows), "observe", len(chosen), on_progress)


def _notes(trunk: _Trunk, rounded: Right | None) -> Iterator[str]:
    if rounded is not None:
        low, high = wilson(float(rounded.sum()), len(rounded))
        yield (
            f"top-1 with fake quantization, as int8 computes: {100 * rounded.mean():.2f} % "
            f"[{100 * low:.2f}, {100 * high:.2f}]"
        )
    if trunk.frozen:
        yield f"{trunk.frozen} layers that were frozen (trainable=False) were fine-tuned like all others"
    if trunk.head is not None and trunk.head.augmentations:
        yield (
            f"the augmentation layers {', '.join(trunk.head.augmentations)} did not act in the fine-tuning; "
            "--augment did"
        )
