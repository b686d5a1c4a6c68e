"""The rooms: backends, formats, schemes. A file in a room is a choice; its name is the option value.

It is a module, or, for what needs no code of its own, a file of data (TOML), of which the room's module
`_declared` makes what a module would offer.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from resnet_edge.core.choices import choose
from resnet_edge.core.errors import MissingDependency
from resnet_edge.core.packages import missing_package

T = TypeVar("T")

DATA = ".toml"


def names(room: str) -> list[str]:
    """The choices of `room`, found without importing any of them: modules first, then files of data."""
    modules = pkgutil.iter_modules(map(str, _folders(room)))
    listed = sorted(module.name for module in modules if not module.name.startswith("_"))
    return [*listed, *declared(room)]


def declared(room: str) -> dict[str, Path]:
    """The choices of `room` that are files of data, in the order of their names and versions."""
    files = {file.stem: file for folder in _folders(room) for file in folder.glob(f"*{DATA}")}
    return dict(sorted(files.items(), key=lambda item: _by_number(item[0])))


def _by_number(name: str) -> list[tuple[int, str]]:
    """What sorts 2.5 before 2.10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _folders(room: str) -> list[Path]:
    spec = importlib.util.find_spec(f"resnet_edge.{room}")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return [Path(folder) for folder in spec.submodule_search_locations]


def option_of(name: str) -> str:
    """How users spell a name whose room has hyphens on the command line (profiles)."""
    return name.replace("_", "-")


def check(room: str, name: str) -> str:
    """The choice that `name` means. Raises UnknownName."""
    return choose(room[:-1], name, names(room))


def constant(room: str, name: str, key: str, default: T) -> T:
    """What the file of the choice `name` says `key` is: a literal on a line of its own, in a file of data
    in small letters. It is read and not imported, so that nothing need be installed; `default` where the file
    does not say it, or there is none."""
    text, is_data = _text(room, name)
    line = re.search(rf"^{key.lower() if is_data else key} = (.+)$", text, re.MULTILINE)
    if line is None:
        return default
    # A text, a number or a list of them is written alike in TOML and in Python.
    value: T = ast.literal_eval(line[1])
    return value


@cache
def _text(room: str, name: str) -> tuple[str, bool]:
    """What stands in the file of a choice, empty where there is none, and whether it is one of data."""
    files = [folder / f"{name}{suffix}" for folder in _folders(room) for suffix in (".py", DATA)]
    file = next((each for each in files if each.stem == name and each.is_file()), None)
    return ("", False) if file is None else (file.read_text("utf-8"), file.suffix == DATA)


def load(room: str, name: str) -> Any:
    """What the choice `name` offers: its module, or the like. Raises UnknownName or MissingDependency."""
    name = check(room, name)
    data = declared(room).get(name)
    try:
        if data is not None:
            return importlib.import_module(f"resnet_edge.{room}._declared").load(data)
        return importlib.import_module(f"resnet_edge.{room}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("resnet_edge"):
            raise  # a bug of ours, not a missing extra
        how = missing_package(error.name) or f"it needs the Python module {error.name!r}: install what has it"
        raise MissingDependency(f"{name}: {how}") from error
