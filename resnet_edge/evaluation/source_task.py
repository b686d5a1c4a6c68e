"""What the parent asks of evaluation.source, for the model as a float graph and for what it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.models import ModelRequest
from resnet_edge.workers.task import Task

REFERENCE = "reference"
"""The step that runs the model, as progress names it."""

BATCH_PIXELS = 2_000_000
"""Pixels times channels in one batch of the reference: 13 images of 224x224x3, or 128 small
ones. More does not run faster on a CPU, and activations cost about 100 bytes for each."""


def batch_size(shape: Sequence[int], n: int) -> int:
    """How many of `n` images of `shape` (H, W, C) the reference takes at once, where there is memory for
    it."""
    return max(1, min(128, BATCH_PIXELS // math.prod(shape), n))


@dataclass(frozen=True, kw_only=True)
class ExportModel(
    Task[WrittenFile], runs="resnet_edge.evaluation.source:export", reads=("model.source",), writes=("out",)
):
    """Write the float portable graph of a model to `out`; `bare`: without preprocessing, to
    take what the model takes."""

    model: ModelRequest
    out: str
    dynamic_batch: bool
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class WitnessReader(
    Task[ReaderCheck],
    runs="resnet_edge.evaluation.source:witness",
    reads=(
        "model.source",
        "images",
    ),
):
    """evaluation.source: hold the reader of a model against another loader, on some of `images` (.npy)."""

    model: ModelRequest
    images: str


@dataclass(frozen=True, kw_only=True)
class RunReference(
    Task[WrittenFile],
    runs="resnet_edge.evaluation.source:reference",
    reads=(
        "model.source",
        "model.preprocess",
        "beside",
        "images",
        "names",
    ),
    writes=("out",),
):
    """Run the Keras model, with files `beside` it, on `images` from `start` to `stop` (None: the last),
    outputs to `out` (.npy). Where `images` are some of a `total`, so many are `before` them; `names` has what
    all are called (.json)."""

    model: ModelRequest
    images: str
    out: str
    names: str | None = None
    start: int = 0
    stop: int | None = None
    before: int = 0
    total: int | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JoinOutputs(
    Task[WrittenFile], runs="resnet_edge.evaluation.source:join", reads=("parts",), writes=("out",)
):
    """The outputs (.npy) of `n` images in one, in order."""

    parts: tuple[str, ...]
    n: int
    out: str


@dataclass(frozen=True, kw_only=True)
class ReadLearnedRanges(
    Task[WrittenFile],
    runs="resnet_edge.evaluation.source:learned",
    reads=(
        "model.source",
        "images",
    ),
    writes=("out",),
):
    """evaluation.source: what the layers with learned ranges give on some of `images` (.npy, as the
    user gave them), to `out` (.npz), for graph.quantization.learned."""

    model: ModelRequest
    images: str
    out: str


@dataclass(frozen=True, kw_only=True)
class ReadModelFacts(Task[ModelFacts], runs="resnet_edge.evaluation.source:facts", reads=("model.source",)):
    """What a model takes and gives, by opening it."""

    model: ModelRequest
