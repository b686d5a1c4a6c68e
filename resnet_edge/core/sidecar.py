"""What we know of a model beside its weights: `<model>.json` next to `<model>.keras`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.core.errors import ModelError
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.head import HeadKind

SUFFIXES = (".keras", ".h5", ".hdf5")
"""The model files that have a sidecar."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A model at one point of its lineage.

    `macs` counts multiply-accumulates of one image (None: not countable); `file_bytes` is the
    size of the `.keras` or `.h5` file without the state of an optimizer, and `gzip_bytes` that of its gzip
    (0: the model is no single file);
    `top1` is the fraction of `n` images that it gets right, and `images` says which (None: there
    were none with labels), with its 95 % interval. `images_sha256` is of those images and then their
    labels, as report.json gives it under `data`, so that two accuracies on the same images are known to
    be; "": not known.
    """

    sha256: str
    parameters: int
    macs: int | None
    file_bytes: int
    gzip_bytes: int
    top1: float | None = None
    top1_ci95: tuple[float, float] | None = None
    n: int = 0
    images: str = ""
    images_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class StepLatency:
    """Two artifacts, of the model before and after a step, timed in turns on one backend.

    `ratio` is the p50 after over the p50 before: below 1 is faster. `ratio_ci95` is its
    bootstrap interval.
    """

    format: str
    scheme: str
    backend: str
    device: str
    threads: int
    before_ms: float
    after_ms: float
    ratio: float
    ratio_ci95: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was done to a model.

    `step` is the command ("train", "prune", "qat"), `title` says it in words, `command` is the
    line that was typed. `top1_change_ci95_pp`: of the accuracy after the step less that before, image by
    image, the 95 % interval in percentage points (None: not both are known). `details` is what belongs to
    this kind of step alone: recipe, history, sparsity or channels per layer, ...
    """

    step: str
    title: str
    command: str
    resnet_edge: str
    after: State
    before: State | None = None
    top1_change_ci95_pp: tuple[float, float] | None = None
    latency: tuple[StepLatency, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sidecar:
    """The class names, and what was done to the model, step by step. `threshold`: of a model with one output,
    in the unit of that; above it the answer is the second class (None: the usual one). Of several labels it
    is that of each, or a list of their own. `head`: what the outputs are, where that is known better than the
    model tells (None: the model does)."""

    class_names: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    schema: int = 2
    threshold: float | tuple[float, ...] | None = field(default=None, kw_only=True)
    head: HeadKind | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Lineage:
    """What was done to one model up to now; `note` says why there are no steps though the
    sidecar has some. `threshold` and `head` as in Sidecar."""

    class_names: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    note: str | None = None
    threshold: float | tuple[float, ...] | None = field(default=None, kw_only=True)
    head: HeadKind | None = field(default=None, kw_only=True)


def sidecar_path(model: Path) -> Path:
    """Where the sidecar of `model` stands."""
    return model.with_suffix(".json")


def write_sidecar(model: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of `model`, readable by people. Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(sidecar), indent=1)
    write_whole(sidecar_path(model), text + b"\n")


def read_sidecar(model: Path) -> Sidecar:
    """The sidecar of `model`; an empty one where there is none. Raises ModelError if damaged."""
    path = sidecar_path(model)
    if not path.is_file():
        return Sidecar()
    sidecar: Sidecar = read_json(path, Sidecar, "sidecar of a model", "fix or remove it", ModelError)
    return sidecar


def lineage_of(source: str | Path, sha256: str) -> Lineage:
    """What is known of the model `source`, a MODEL as the user types it, with the SHA-256 `sha256`.

    A lineage belongs to a file by its content, not by its name: steps are told as far as one of
    them ended in this content, and none of them where none did. What is no `.keras` or `.h5`
    file (a name from the zoo, `app:`, a factory, a SavedModel) has no sidecar, and so no
    lineage. Raises ModelError where the sidecar is damaged.
    """
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return Lineage()
    known = read_sidecar(path)
    states = [step.after.sha256 for step in known.steps]
    if sha256 in states:
        last = len(states) - states[::-1].index(sha256)
        return Lineage(known.class_names, known.steps[:last], threshold=known.threshold, head=known.head)
    started = known.steps and known.steps[0].before
    if not known.steps or (started and started.sha256 == sha256):
        return Lineage(known.class_names, threshold=known.threshold, head=known.head)
    return Lineage(
        known.class_names,
        note=f"{sidecar_path(path).name} describes another file than {path.name} "
        "(the SHA-256 differs), so none is reported: put the one that belongs to it beside it",
        threshold=known.threshold,
        head=known.head,
    )


def next_sidecar(source: str | Path, step: Step, head: HeadKind | None = None) -> tuple[Sidecar, str | None]:
    """The sidecar of the model that `step` has made of `source`: its class names, threshold, head (or what
    the user says that it is, `head`) and lineage, and the step; and a note where the lineage of `source` was
    not taken over (`lineage_of`).

    `step.before` is the state of `source`. Where nothing is known of what came before, the lineage
    begins with it. Raises ModelError where the sidecar of `source` is damaged.
    """
    if step.before is None:
        raise ValueError("a step that changes a model tells what the model was before")
    lineage = lineage_of(source, step.before.sha256)
    sidecar = Sidecar(
        lineage.class_names, (*lineage.steps, step), threshold=lineage.threshold, head=head or lineage.head
    )
    return sidecar, lineage.note
