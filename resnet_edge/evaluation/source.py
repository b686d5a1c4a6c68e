"""Runs in a worker. The user's Keras model: opened once, exported, and run as the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import available_memory
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.reader_check import checked_reader
from resnet_edge.evaluation.source_task import (
    ExportModel,
    JoinReference,
    ReadLearnedRanges,
    ReadModelFacts,
    ReferenceShard,
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
    opened, images = _opened(request.model), np.load(request.images, mmap_mode="r")
    on_progress(Progress(step="witness", note="the same file, read by another loader"))
    check = checked_reader(opened, request.model, images)
    on_progress(Progress(step="witness", done=1, total=1, note=check.loader))
    return check


def reference(request: RunReference, on_progress: OnProgress) -> WrittenFile:
    """Run the model itself on every image; writes (N, classes) float32."""
    images = np.load(request.images, mmap_mode="r")
    known = None if request.known is None else np.load(request.known)
    first = 0 if known is None else len(known)
    rest = _ran(request, images, first, len(images), on_progress)
    np.save(request.out, rest if known is None else np.concatenate((known, rest)))
    return WrittenFile(request.out)


def reference_shard(request: ReferenceShard, on_progress: OnProgress) -> WrittenFile:
    """Run the model itself on some of the images; writes (stop - start, classes) float32."""
    images = np.load(request.images, mmap_mode="r")
    np.save(request.out, _ran(request, images, request.start, request.stop, on_progress))
    return WrittenFile(request.out)


def join(request: JoinReference, on_progress: OnProgress) -> WrittenFile:
    """All outputs in one file."""
    np.save(request.out, np.concatenate([np.load(part) for part in request.parts]))
    return WrittenFile(request.out)


def _ran(
    request: RunReference | ReferenceShard,
    images: NDArray[Any],
    first: int,
    stop: int,
    on_progress: OnProgress,
) -> NDArray[np.float32]:
    """The outputs (stop - first, classes) of the images from `first` to `stop`, in batches whose size is that
    for all images: so a batch is the same whoever runs it. Raises DataError."""
    import tensorflow as tf

    opened, names = _opened(request.model), request.names
    network = _compiled(request.model)
    size = batch_size(opened.facts.input_shape, len(images))
    memory = available_memory()
    if memory is not None and opened.activation_bytes:
        size = max(1, min(size, memory // (IN_FLIGHT * opened.activation_bytes)))
    outputs = np.empty((stop - first, opened.facts.head.outputs), np.float32)
    for start in range(first, stop, size):
        batch = preprocessed(images[start : min(start + size, stop)], opened.facts.preprocessing)
        # Another size would be traced anew: a second and a half for a ResNet-50.
        filled = np.resize(batch, (size, *batch.shape[1:]))
        outputs[start - first :][: len(batch)] = network(tf.constant(filled)).numpy()[: len(batch)]
        on_progress(Progress(step="reference", done=min(start + size, stop), total=len(images), note="Keras"))
    if not np.isfinite(outputs).all():
        raise DataError(_not_finite(outputs, images[first:stop], first, names, opened))
    return outputs


def _not_finite(
    outputs: NDArray[np.float32], images: NDArray[Any], first: int, names: str | None, opened: OpenedModel
) -> str:
    """Which image it is first, of `images` from the number `first` on, and which layer, and what to do."""
    bad = (~np.isfinite(outputs)).any(axis=1)
    row, count = int(bad.argmax()), int(np.count_nonzero(bad))
    known = () if names is None else msgspec.json.decode(Path(names).read_bytes())
    image = preprocessed(images[row : row + 1], opened.facts.preprocessing)
    where = origin_of(opened.trackable, image, lambda: opened.network(image))
    named = known[first + row] if known else first + row
    image_and_layer = f"{named}{f', and there first {where}' if where else ''}"
    return (
        f"the model itself gives NaN or infinity on {count:,} of {len(images):,} images, first image "
        f"{image_and_layer}: leave these images out of --data, or correct the layer; and see that "
        "--preprocess is "
        "what it was trained with"
    )


def learned(request: ReadLearnedRanges, on_progress: OnProgress) -> WrittenFile:
    """Run the layers whose activation ranges were learned, on an image and on noise; write what
    tells their tensors in the portable graph. Raises ModelError where the model has no such layers."""
    from resnet_edge.graph.quantization.learned import Learned
    from resnet_edge.models.activations import activations
    from resnet_edge.models.functional.flat import flat_graph
    from resnet_edge.models.learned_ranges import INPUT

    opened = _opened(request.model)
    facts, ranges = opened.facts, opened.ranges or {}
    images = _telling(np.load(request.images, mmap_mode="r"), facts.preprocessing.takes_pixels)
    graph = flat_graph(opened.trackable, facts.input_shape)
    outputs = activations(graph, ranges, preprocessed(images, facts.preprocessing))
    optional = tuple(name for name in ranges if name.endswith(INPUT))
    Learned(ranges, images, outputs, optional).save(Path(request.out))
    on_progress(Progress(step="learned ranges", done=1, total=1))
    return WrittenFile(request.out)


def _telling(images: NDArray[Any], takes_pixels: bool) -> NDArray[np.float32]:
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
