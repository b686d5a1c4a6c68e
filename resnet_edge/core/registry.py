"""The rooms: backends, formats, schemes. A file in a room is a choice; its name is the option value."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType

from resnet_edge.core.errors import MissingDependency, UnknownName
from resnet_edge.core.packages import missing_package


def names(room: str) -> list[str]:
    """The choices of `room`, found without importing any of them."""
    spec = importlib.util.find_spec(f"resnet_edge.{room}")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    found = pkgutil.iter_modules(spec.submodule_search_locations)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def option_of(name: str) -> str:
    """How users spell a name whose room has hyphens on the command line (profiles)."""
    return name.replace("_", "-")


def check(room: str, name: str) -> str:
    """`name` itself. Raises UnknownName with the choices unless it is one of them."""
    if name not in names(room):
        raise UnknownName(f"no {room[:-1]} is called {name!r}; choose from: {', '.join(names(room))}")
    return name


def declares(room: str, name: str, constant: str) -> bool:
    """Whether the file of the choice `name` says `constant = True`, read and not imported; False where there
    is no such choice."""
    spec = importlib.util.find_spec(f"resnet_edge.{room}")
    assert spec is not None
    folders = spec.submodule_search_locations or ()
    files = [Path(folder) / f"{name}.py" for folder in folders] if name in names(room) else []
    return any(f"\n{constant} = True\n" in file.read_text("utf-8") for file in files if file.is_file())


def load(room: str, name: str) -> ModuleType:
    """The module of the choice `name`. Raises UnknownName or MissingDependency."""
    check(room, name)
    try:
        return importlib.import_module(f"resnet_edge.{room}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("resnet_edge"):
            raise  # a bug of ours, not a missing extra
        how = missing_package(error.name) or f"it needs {error.name!r}: pip install 'resnet-edge[{name}]'"
        raise MissingDependency(f"{name}: {how}") from error
