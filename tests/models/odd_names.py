"""Models whose layers have names that a file can hold and TensorFlow's scopes cannot."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def rename(model: Path, out: Path, names: Mapping[str, str]) -> None:
    """Write the .keras file `model` to `out` with other names in its config, as Keras on another backend
    would have saved it. The two may be the same file."""
    with zipfile.ZipFile(model) as old:
        members = {name: old.read(name) for name in old.namelist()}
    config = _renamed(json.loads(members["config.json"]), names)
    with zipfile.ZipFile(out, "w") as new:
        for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
            new.writestr(name, content)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
