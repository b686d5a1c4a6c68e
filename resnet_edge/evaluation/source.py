"""Runs in a worker. The user's Keras model: opened once, exported, and run as the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError, first_line
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import available_memory, usable_cores
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.encoded import ImageRows, picked
from resnet_edge.data.image_file import open_images
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.reader_check import checked_reader
from resnet_edge.evaluation.source_task import (
    REFERENCE,
    ExportModel,
    JoinOutputs,
    ReadLearnedRanges,
    ReadModelFacts,
    RunReference,
    WitnessReader,
    batch_size,
)
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.models.compiled import compiled
from resnet_edge.models.non_finite import origin_of
from resnet_edge.workers.progress import OnProgress, Progress, silent

IN_FLIGHT = 2
"""How often what a layer reads and gives is in memory: once more for a shortcut that waits."""


def facts(task: ReadModelFacts, on_progress: OnProgress) -> ModelFacts:
    """Open the model and tell what it is."""
    on_progress(Progress(step="model", note=f"reading {task.model.source}"))
    model_facts = _opened(task.model).facts
    on_progress(Progress(step="model", done=1, total=1, note=model_facts.name))
    return model_facts


def export(request: ExportModel, on_progress: OnProgress) -> WrittenFile:
    """Write the float portable graph."""
    from resnet_edge.graph.convert import convert

    opened = _opened(request.model)
    on_progress(Progress(step="export", note="TensorFlow to the portable graph"))
    convert(
        opened.network,
        opened.trackable,
        PRESETS["none"] if request.bare else opened.facts.preprocessing,
        opened.facts.input_shape,
        opened.facts.output,
        Path(request.out),
        dynamic_batch=request.dynamic_batch,
    )
    on_progress(Progress(step="export", done=1, total=1))
    return WrittenFile(request.out)


def witness(request: WitnessReader, on_progress: OnProgress) -> ReaderCheck:
    """Whether another loader gives the same answers. Raises ModelError where it does not."""
    opened, images = _opened(request.model), open_images(Path(request.images))
    on_progress(Progress(step="witness", note="the same file, read by another loader"))
    check = checked_reader(opened, request.model, images)
    on_progress(Progress(step="witness", done=1, total=1, note=check.loader))
    return check


def reference(request: RunReference, on_progress: OnProgress) -> WrittenFile:
    """Run the model itself on images; writes (rows, outputs) float32."""
    import tensorflow as tf

    opened = _opened(request.model)
    held = open_images(Path(request.images), usable_cores())
    images = picked(held, slice(request.start, request.stop))
    before = request.before + request.start
    total = request.total or len(held)
    network, size = _compiled(request.model), _batch_size(request.model, total)
    outputs = np.empty((len(images), opened.facts.head.outputs), np.float32)
    for first in range(0, len(images), size):
        batch = preprocessed(images[first : first + size], opened.facts.preprocessing)
        # Another size would be traced anew: a second and a half for a ResNet-50.
        filled = np.resize(batch, (size, *batch.shape[1:]))
        outputs[first : first + size] = network(tf.constant(filled)).numpy()[: len(batch)]
        done = before + min(first + size, len(images))
        on_progress(Progress(step=REFERENCE, done=done, total=total, note="Keras"))
    if not np.isfinite(outputs).all():
        raise DataError(_not_finite(outputs, images, before, total, request.names, opened))
    np.save(request.out, outputs)
    return WrittenFile(request.out)


def _not_finite(
    outputs: NDArray[np.float32],
    images: ImageRows,
    before: int,
    total: int,
    names: str | None,
    opened: OpenedModel,
) -> str:
    """Which image it is first, of `total` of which so many are `before` these, and which layer, and what to
    do."""
    bad = (~np.isfinite(outputs)).any(axis=1)
    row, count = int(bad.argmax()), int(np.count_nonzero(bad))
    known = () if names is None else msgspec.json.decode(Path(names).read_bytes())
    image = preprocessed(images[row : row + 1], opened.facts.preprocessing)
    where = origin_of(opened.trackable, image, lambda: opened.network(image))
    called = known[before + row] if known else before + row
    first = f"{called}{f', and there first {where}' if where else ''}"
    last = before + len(images) - 1
    among = f"{total:,} images" if len(images) == total else f"the images {before:,} to {last:,}"
    return (
        f"the model itself gives NaN or infinity on {count:,} of {among}, first image "
        f"{first}: leave these images out of --data, or correct the layer; and see that --preprocess is what "
        "it was trained with"
    )


@lru_cache(maxsize=1)
def _batch_size(request: ModelRequest, count: int) -> int:
    """Once, for the same reason: the memory that is free changes."""
    opened = _opened(request)
    size = batch_size(opened.facts.input_shape, count)
    memory = available_memory()
    if memory is not None and opened.activation_bytes:
        size = max(1, min(size, memory // (IN_FLIGHT * opened.activation_bytes)))
    return size


def join(request: JoinOutputs, on_progress: OnProgress) -> WrittenFile:
    """Raises DataError where what is there is no part, as of a machine that was switched off."""
    try:
        parts = [np.load(part, mmap_mode="r", allow_pickle=False) for part in request.parts]
        if sum(map(len, parts)) != request.n or any(part.dtype != np.float32 for part in parts):
            raise ValueError(f"they are no outputs of {request.n:,} images")
        shape = (request.n, *parts[0].shape[1:])
        outputs = open_memmap(request.out, mode="w+", dtype=np.float32, shape=shape)
        np.concatenate(parts, out=outputs)
    except (OSError, ValueError) as error:
        why = first_line(error)
        raise DataError(f"outputs of the reference cannot be joined ({why}): run again") from error
    outputs.flush()
    return WrittenFile(request.out)


def learned(request: ReadLearnedRanges, on_progress: OnProgress) -> WrittenFile:
    """Run the layers whose activation ranges were learned, on an image and on noise; write what
    tells their tensors in the portable graph. Raises ModelError where the model has no such layers."""
    from resnet_edge.graph.quantization.learned import Learned
    from resnet_edge.models.activations import activations
    from resnet_edge.models.functional.flat import flat_graph
    from resnet_edge.models.learned_ranges import INPUT

    opened = _opened(request.model)
    facts, ranges = opened.facts, opened.ranges or {}
    images = _telling(open_images(Path(request.images)), facts.preprocessing.takes_pixels)
    graph = flat_graph(opened.trackable, facts.input_shape)
    outputs = activations(graph, ranges, preprocessed(images, facts.preprocessing))
    optional = tuple(name for name in ranges if name.endswith(INPUT))
    Learned(ranges, images, outputs, optional).save(Path(request.out))
    on_progress(Progress(step="learned ranges", done=1, total=1))
    return WrittenFile(request.out)


def _telling(images: ImageRows, takes_pixels: bool) -> NDArray[np.float32]:
    """An image, and noise: on both of them no two layers give the same by chance."""
    image = np.asarray(images[:1], np.float32)
    low, high = (0, 255) if takes_pixels else (image.min(), image.max())
    noise = np.random.default_rng(0).uniform(low, high, image.shape)
    return np.concatenate([image, noise.astype(np.float32)])


@lru_cache(maxsize=1)
def _compiled(request: ModelRequest) -> Callable[[Any], Any]:
    """Once: a ResNet-50 is traced for a second and a half."""
    return compiled(_opened(request).network)


@lru_cache(maxsize=1)
def _opened(request: ModelRequest) -> OpenedModel:
    return open_model(request, silent)
