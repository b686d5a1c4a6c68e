"""Tests of core.registry."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

import resnet_edge.schemes
from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency, UnknownName
from resnet_edge.core.packages import EXTRAS

ROOMS = ["backends", "formats", "schemes"]


@pytest.fixture
def extra_room_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second folder of the room `schemes`, as if a file had been added to it."""
    monkeypatch.setattr(resnet_edge.schemes, "__path__", [*resnet_edge.schemes.__path__, str(tmp_path)])
    spec = resnet_edge.schemes.__spec__
    assert spec is not None
    monkeypatch.setattr(spec, "submodule_search_locations", resnet_edge.schemes.__path__)
    return tmp_path


@pytest.mark.parametrize("room", ROOMS)
def test_the_choices_are_the_public_files_in_order(room: str) -> None:
    folder = Path(resnet_edge.schemes.__file__).parent.parent / room
    data = registry.declared(room)
    assert registry.names(room) == [*sorted(f.stem for f in folder.glob("[!_]*.py")), *data]
    assert data == {f.stem: f for f in folder.glob("*.toml")}


@pytest.mark.parametrize("room", ROOMS)
def test_an_unknown_name_shows_the_choices(room: str) -> None:
    with pytest.raises(UnknownName) as caught:
        registry.load(room, "tensorrt9")
    assert f"no {room[:-1]} is called 'tensorrt9'; choose from: " in str(caught.value)
    assert all(name in str(caught.value) for name in registry.names(room))


@pytest.mark.parametrize("name", ["", "_border", "../core", "int8.py", "int 8"])
def test_only_a_name_of_the_room_counts(name: str) -> None:
    with pytest.raises(UnknownName):
        registry.check("schemes", name)


def test_one_new_file_is_one_new_choice(extra_room_folder: Path) -> None:
    (extra_room_folder / "int2.py").write_text("SCHEME = 2")
    (extra_room_folder / "_int2_tables.py").write_text("")
    assert "int2" in registry.names("schemes")
    assert "_int2_tables" not in registry.names("schemes")
    assert registry.load("schemes", "int2").SCHEME == 2
    sys.modules.pop("resnet_edge.schemes.int2")


def test_one_new_file_of_data_is_one_new_choice(extra_room_folder: Path) -> None:
    (extra_room_folder / "_declared.py").write_text("def load(file):\n    return file.read_text()")
    for name in ("int2@10", "int2@9"):
        (extra_room_folder / f"{name}.toml").write_text(name)
    assert registry.names("schemes")[-2:] == ["int2@9", "int2@10"]
    assert registry.load("schemes", "int2@10") == "int2@10"
    with pytest.raises(UnknownName, match="'int2@8' .*choose from: .*int2@9, int2@10"):
        registry.load("schemes", "int2@8")
    sys.modules.pop("resnet_edge.schemes._declared")


def test_what_a_file_says_of_itself_is_read_and_not_imported(extra_room_folder: Path) -> None:
    (extra_room_folder / "int3.py").write_text(
        'import no_such_package\nKERNELS = "own"\nFIRST_FOR = ("a", "b")\n'
    )
    (extra_room_folder / "int3@1.toml").write_text('kernels = "old"\n')
    assert registry.constant("schemes", "int3", "KERNELS", "none") == "own"
    assert registry.constant("schemes", "int3", "FIRST_FOR", ("c", "d")) == ("a", "b")
    assert registry.constant("schemes", "int3", "ENDS", None) is None
    assert registry.constant("schemes", "int3@1", "KERNELS", "none") == "old"
    assert registry.constant("schemes", "../core/errors", "KERNELS", "none") == "none"


def test_a_missing_package_that_no_extra_brings_is_named_without_one(extra_room_folder: Path) -> None:
    (extra_room_folder / "needy.py").write_text("import no_such_package_anywhere")
    with pytest.raises(
        MissingDependency, match="needs the Python module 'no_such_package_anywhere': install"
    ):
        registry.load("schemes", "needy")


def test_a_wrong_import_of_our_own_is_not_taken_for_a_missing_package(extra_room_folder: Path) -> None:
    (extra_room_folder / "buggy.py").write_text("import resnet_edge.no_such_module")
    with pytest.raises(ModuleNotFoundError):
        registry.load("schemes", "buggy")


def test_every_extra_that_an_error_names_is_one_that_pip_finds() -> None:
    """pip 23, which comes with Python 3.11, installs nothing for an extra with an underscore, and says so
    in a warning only."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    offered = set(project["project"]["optional-dependencies"])
    assert {extra for _, extra in EXTRAS.values()} <= offered
    assert not [extra for extra in offered if "_" in extra]
