"""What we know of a model beside its weights: `<model>.json` next to `<model>.keras`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.core.errors import ModelError


@dataclass(frozen=True)
class State:
    """A model at one point of its story.

    `macs` counts multiply-accumulates of one image (None: not countable); `file_bytes` is the
    size of the `.keras` file and `gzip_bytes` that of its gzip; `top1` is the fraction of `n`
    images that it gets right, and `images` says which (None: there were none with labels).
    """

    sha256: str
    parameters: int
    macs: int | None
    file_bytes: int
    gzip_bytes: int
    top1: float | None = None
    n: int = 0
    images: str = ""


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Step:
    """One thing that was done to a model.

    `step` is the command ("train", "prune", "qat"), `title` says it in words, `command` is the
    line that was typed. `details` is what belongs to this kind of step alone: recipe, history,
    sparsity or channels per layer, ...
    """

    step: str
    title: str
    command: str
    resnet_edge: str
    after: State
    before: State | None = None
    latency: tuple[StepLatency, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sidecar:
    """The class names, and what was done to the model, step by step."""

    class_names: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    schema: int = 2


def sidecar_path(model: Path) -> Path:
    """Where the sidecar of `model` stands."""
    return model.with_suffix(".json")


def write_sidecar(model: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of `model`, readable by people."""
    text = msgspec.json.format(msgspec.json.encode(sidecar), indent=1)
    sidecar_path(model).write_bytes(text + b"\n")


def read_sidecar(model: Path) -> Sidecar:
    """The sidecar of `model`; an empty one where there is none. Raises ModelError if damaged."""
    path = sidecar_path(model)
    if not path.is_file():
        return Sidecar()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sidecar)
    except msgspec.DecodeError as error:
        raise ModelError(f"{path} is damaged ({error}): mend or remove it") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}): mend or remove it") from error
