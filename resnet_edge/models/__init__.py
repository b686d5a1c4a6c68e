"""Models in: everything that MODEL can be on the command line, one file per kind of source.

A kind is a module with

- `check(request)`: runs in the parent; cheap, without numpy or a framework;
- `look(request)`, where more of it can be refused before a framework is imported: runs in the parent, and
  reads the file in a worker that imports none;
- `grant(request)`, where opening it takes more than reading: what its worker may do; runs in the parent;
- `open_model(request, report)`: runs in a worker; gives an `OpenedModel`;
- `witness(request)`, where it reads files: runs in a worker after `open_model`; gives the same file as a
  loader that is not ours reads it (`models.witness`), or raises NoWitness.

They raise UsageError, UnknownName or ModelError, with one line that says how to fix it.
`_source.kind_of` tells which kind a source is, by its spelling and its first bytes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from resnet_edge.core.errors import UsageError
from resnet_edge.core.head import HeadKind
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import preprocessing
from resnet_edge.models import _source
from resnet_edge.models.learned_ranges import Ranges
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True)
class ModelRequest:
    """What the user typed: the MODEL and the options that belong to it.

    `trust` allows a SavedModel, which is a program; `input_shape` is (H, W, C) for a model
    that does not know its own; `preprocess` is a preset or a file for
    `core.preprocessing.preprocessing` (None: find out from the model). `output` names one of several
    outputs; `head` says what it is, where the model does not tell or tells it wrongly. `data_shape` is
    (H, W, C) of the images that it is run on, None where they differ: what the model leaves open and the
    user too is taken from it.
    """

    source: str
    trust: bool = False
    input_shape: tuple[int, int, int] | None = None
    preprocess: str | None = None
    output: str | None = field(default=None, kw_only=True)
    head: HeadKind | None = field(default=None, kw_only=True)
    data_shape: tuple[int | None, int | None, int | None] | None = field(default=None, kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Original:
    """The keras.Model of the user's, and what it makes of (B, H, W, C), as `OpenedModel.network`. `unit`:
    half a unit in the last place of the shortest type that its own code computes in."""

    model: Any
    network: Callable[[Any], Any]
    unit: float


@dataclass(frozen=True, kw_only=True)
class OpenedModel:
    """A model in memory.

    `network` maps (B, H, W, C) float32, the model's OWN input before our preprocessing, to
    (B, head.outputs) float32 in inference mode, and can be traced by tf.function. `trackable`
    holds the variables (a keras.Model, or the loaded SavedModel). `ranges` are the activation
    ranges that quantization-aware training learned for exactly these weights, if it did. `activation_bytes`:
    what the largest layer reads and gives for one image, as far as that is known. `original` is what
    `trackable` was rebuilt of, where it was.
    """

    facts: ModelFacts
    network: Callable[[Any], Any]
    trackable: Any
    ranges: Ranges | None = None
    activation_bytes: int = 0
    original: Original | None = None


def check_source(request: ModelRequest) -> None:
    """Everything that can be refused without a framework; runs in the parent, before any work.

    Raises UsageError, UnknownName, ModelError, DataError (a bad preprocessing file).
    """
    if request.input_shape is not None and min(request.input_shape) < 1:
        raise UsageError(f"--input-shape {_spelled(request.input_shape)}: every size must be at least 1")
    if request.preprocess is not None:
        preprocessing(request.preprocess)
    kind = kind_module(request)
    kind.check(request)
    if (look := getattr(kind, "look", None)) is not None:
        look(request)


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Open the model; runs in a worker, which imports Keras.

    Raises UsageError, UnknownName, ModelError.
    """
    kind_module(request).check(request)  # the file may have changed since the parent looked
    opened: OpenedModel = kind_module(request).open_model(request, on_progress)
    return opened


def grant_of(request: ModelRequest) -> Grant:
    """What a worker may do that opens the model; runs in the parent. Where a file is data, nothing.

    Raises UsageError, UnknownName, ModelError.
    """
    wanted: Callable[[ModelRequest], Grant] | None = getattr(kind_module(request), "grant", None)
    return wanted(request) if wanted is not None else NOTHING


def kind_module(request: ModelRequest) -> ModuleType:
    """The module of its kind. Raises UsageError, UnknownName, ModelError."""
    return importlib.import_module(f"{__name__}.{_source.kind_of(request.source)}")


def _spelled(shape: tuple[int, int, int]) -> str:
    return ",".join(map(str, shape))
