"""What we know of a model beside its weights: `<model>.json` next to `<model>.keras`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.core.errors import ModelError


@dataclass(frozen=True)
class Sidecar:
    """The class names, and what was done to the model, step by step (train, prune, ...)."""

    class_names: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    schema: int = 1


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
