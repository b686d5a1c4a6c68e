"""Runs in a worker (compression.tfmot_worker). Magnitude pruning: zeros in the kernels, and fine-tuning.

    model ─► trunk ─► tf_keras ─► masked ─► fine-tuned ─► stripped ─► the user's model ─► FILE.keras

The network is fine-tuned as a tf_keras model; what comes out is the Keras 3 model that went in,
with its own structure and other weights. Its file is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tf_keras
from numpy.typing import NDArray

from resnet_edge import __version__
from resnet_edge.compression.magnitude_task import PruneMagnitude
from resnet_edge.compression.tfmot.bridge import to_keras, to_tf_keras
from resnet_edge.compression.tfmot.head import FakeHead, split_head
from resnet_edge.compression.tfmot.magnitude import (
    LayerSparsity,
    SparsityPlan,
    check_sparsity,
    layers_to_prune,
    masked,
    plan,
    sparsity,
    stripped,
    update_step,
)
from resnet_edge.compression.tfmot.mirrored import mirrored, noise_note
from resnet_edge.core.errors import ModelError
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.core.sidecar import State, Step, lineage_of, next_sidecar, write_sidecar
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.reader_check import checked_reader, witness_note
from resnet_edge.models import OpenedModel, open_model
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from resnet_edge.training.augment import AugmentedBatches
from resnet_edge.training.checkpoint import open_checkpoint
from resnet_edge.training.fit import Fit, fit, share_right, training_details
from resnet_edge.training.recipe import Compressed
from resnet_edge.training.saved_model import as_saved, lost_ranges_note, preprocessing_note
from resnet_edge.training.state import Right, change_ci95_pp, few_images_note, state_of
from resnet_edge.training.teacher import teacher_of
from resnet_edge.training.training_data import TrainingData, training_data
from resnet_edge.training.unfinished import finished_file
from resnet_edge.workers.progress import OnProgress, underway

Pixels = NDArray[np.float32]


def prune(request: PruneMagnitude, on_progress: OnProgress) -> Compressed:
    """Prune, fine-tune and save.

    Raises ModelError (a network that tf_keras cannot hold), UsageError, DataError, UnknownName,
    DeviceUnavailable; ResnetEdgeError where the training diverges or the zeros are not there in the end. An
    interrupted run can be resumed.
    """
    recipe, out = request.recipe, Path(request.out)
    placement = mirrored(request.devices, on_progress)
    keras.utils.set_random_seed(recipe.seed)
    base = _opened(request, on_progress)
    facts, data = base.opened.facts, base.data
    with placement.scope(recipe.seed):
        network = to_tf_keras(base.trunk)
    teacher = teacher_of(recipe, facts.input_shape, facts.head, on_progress, base.opened)
    stamp = {
        **asdict(replace(request, resume=False, command="", overwrite=False)),
        "model": asdict(replace(request.model, source="")),  # of which the hash is below
        "recipe": request.recipe.lasting(),
        "model_sha256": facts.sha256,
        "data": data.identity,
    }
    del stamp["devices"]  # the same is trained on any
    folder = open_checkpoint(out, stamp, request.resume, request.overwrite)
    measured, right_before = data.measured_on, _right(base, on_progress)
    before = state_of(request.model, right_before, measured)
    fine_tuning = plan(request.schedule, request.amount, _steps(request, data))
    how = Fit(
        head=facts.head,
        label="prune",
        inputs=base.inputs,
        teacher=teacher,
        framework=tf_keras,
        callbacks=(update_step(),),
        placement=placement,
    )
    with placement.scope(recipe.seed):
        pruned = masked(network, base.names, fine_tuning)
    history = fit(pruned, data, recipe, folder, on_progress, how)
    to_keras(stripped(pruned), base.trunk)
    layers = sparsity(base.trunk, base.names)
    check_sparsity(layers, request.amount)
    file = finished_file(out)
    base.opened.trackable.save(file)
    right_after = _right(base, on_progress)
    after = state_of(as_saved(request.model, facts, file), right_after, measured)
    details = {
        "method": "magnitude",
        **_sparsity_details(fine_tuning, layers, base),
        **training_details(recipe, data, history, how),
    }
    step = Step(
        step="prune",
        title=_title(layers),
        command=request.command,
        resnet_edge=__version__,
        after=after,
        before=before,
        top1_change_ci95_pp=change_ci95_pp(right_before, right_after),
        details=details,
    )
    sidecar, note = next_sidecar(request.model.source, step, facts.declared)
    write_sidecar(file, replace(sidecar, class_names=sidecar.class_names or data.class_names))
    notes = (
        *few_images_note(step),
        *_notes(base, before, after),
        *preprocessing_note(facts),
        *lost_ranges_note(facts),
        *noise_note(network, placement),
        *filter(None, [note]),
    )
    return Compressed(str(out), step, notes)


@dataclass(frozen=True, kw_only=True)
class _Base:
    """The user's network, cut into head and trunk, with the names of the layers to prune."""

    opened: OpenedModel
    graph: FlatGraph
    head: FakeHead | None
    trunk: FlatGraph
    names: tuple[str, ...]
    data: TrainingData
    read: ReaderCheck

    @property
    def inputs(self) -> Callable[[Pixels], Pixels]:
        """From raw pixels to what the trunk takes."""
        head, preprocessing = self.head, self.opened.facts.preprocessing

        def prepared(images: Pixels) -> Pixels:
            values = preprocessed(images, preprocessing)
            return values if head is None else head(values)

        return prepared


def _opened(request: PruneMagnitude, on_progress: OnProgress) -> _Base:
    with underway("model", f"reading {request.model.source}", on_progress):
        opened = open_model(request.model, on_progress)
    if not isinstance(opened.trackable, keras.Model):
        raise ModelError(
            f"{request.model.source} is a SavedModel, which has no layers to prune: give the .keras file"
        )
    facts = opened.facts
    lineage_of(request.model.source, facts.sha256)  # a damaged sidecar is told now, not after the training
    graph = flat_graph(opened.trackable, facts.input_shape)
    head, trunk = split_head(graph)
    names = layers_to_prune(trunk, request.exclude)
    data = training_data(request.recipe, facts.input_shape, facts.head, on_progress)
    read = checked_reader(opened, request.model, data.fitted.images)
    return _Base(opened=opened, graph=graph, head=head, trunk=trunk, names=names, data=data, read=read)


def _steps(request: PruneMagnitude, data: TrainingData) -> int:
    recipe, fitted = request.recipe, data.fitted
    batches = AugmentedBatches(fitted.images, fitted.labels, recipe.batch_size, (), recipe.seed)
    return recipe.epochs * len(batches)


def _right(base: _Base, on_progress: OnProgress) -> Right | None:
    """What the network in memory gets right; None without images that tell."""
    facts, images = base.opened.facts, base.data.measured_on
    if images is None:
        return None
    how = Fit(head=facts.head, inputs=lambda pixels: preprocessed(pixels, facts.preprocessing))
    return share_right(base.opened.network, images, how, on_progress)


def _sparsity_details(
    fine_tuning: SparsityPlan, layers: tuple[LayerSparsity, ...], base: _Base
) -> dict[str, Any]:
    names = {layer.name for layer in layers}
    dense = [call.name for call in base.graph.calls if _has_kernel(call.operation) and call.name not in names]
    return {
        "plan": asdict(fine_tuning),
        "sparsity": _overall(layers),
        "layers": [asdict(layer) for layer in layers],
        "dense_layers": dense,
        "augmentation_layers_off": list(base.head.augmentations) if base.head else [],
    }


def _has_kernel(operation: Any) -> bool:
    return any(weight.path.endswith("kernel") for weight in getattr(operation, "weights", ()))


def _overall(layers: tuple[LayerSparsity, ...]) -> float:
    return sum(layer.zeros for layer in layers) / sum(layer.weights for layer in layers)


def _title(layers: tuple[LayerSparsity, ...]) -> str:
    weights = sum(layer.weights for layer in layers)
    count = f"{len(layers)} layer" + ("s" if len(layers) > 1 else "")
    return f"{100 * _overall(layers):.1f} % of the {weights:,} weights of {count} set to zero"


def _notes(base: _Base, before: State, after: State) -> list[str]:
    size = f" ({before.gzip_bytes:,} bytes before)" if before.gzip_bytes else ""
    shrink = "zeros shrink the download, to", "and not the latency"
    if 0 < before.gzip_bytes <= after.gzip_bytes:  # a small network, whose file is mostly its description
        shrink = "zeros do not shrink this download,", "nor the latency"
    notes = [
        f"{shrink[0]} {after.gzip_bytes:,} bytes with gzip{size}, {shrink[1]}: the kernels of TFLite and "
        "ONNX Runtime multiply by zeros as by any number; to make it faster use --method channel"
    ]
    if base.head and base.head.augmentations:
        notes.append(
            f"the augmentation layers {', '.join(base.head.augmentations)} did not act in the fine-tuning; "
            "--augment did"
        )
    return [*notes, *witness_note(base.read)]
