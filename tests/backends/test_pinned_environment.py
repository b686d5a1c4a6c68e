"""The environments of pinned runtimes, made of wheels that lie in a folder, and what keeps them from it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.backends import _pinned_environment
from resnet_edge.backends._declared import KINDS
from resnet_edge.backends._pinned_environment import MODULE, VARIABLE, PinnedRuntime, runtimes
from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency, OutputError
from tests.cli.conversion import Place

HERE = "{}.{}".format(*sys.version_info)
PIECE = PinnedRuntime(
    name="piece@1", title="Piece 1", runtime="tflite", python=(HERE,), requirements=("museum-piece==1.0",)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where environments are looked for, and pip has nothing but the wheels of tmp_path/wheels."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "museum"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    return tmp_path / "museum"


def write_wheel(wheels: Path, version: str) -> None:
    record = f"museum_piece-{version}.dist-info"
    with zipfile.ZipFile(wheels / f"museum_piece-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("museum_piece.py", "")
        wheel.writestr(
            f"{record}/METADATA", f"Metadata-Version: 2.1\nName: museum-piece\nVersion: {version}\n"
        )
        wheel.writestr(f"{record}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{record}/RECORD", "")


@pytest.mark.parametrize("pinned", runtimes().values(), ids=runtimes())
def test_the_data_are_whole(pinned: PinnedRuntime) -> None:
    assert pinned.runtime in KINDS
    assert all(version.startswith("3.") for version in pinned.python)
    assert all(line.count("==") == 1 for line in pinned.requirements)
    assert pinned.version[0].isdigit()


def test_an_environment_is_made_once(folder: Path) -> None:
    write_wheel(folder.parent / "wheels", "1.0")
    with pytest.raises(MissingDependency, match=r"^piece@1: Piece 1 .*make extras-museum, or .* piece@1$"):
        PIECE.require()
    PIECE.make()
    PIECE.require()
    assert PIECE.version == "1.0"
    marked = folder / "piece@1/mark"
    marked.touch()
    PIECE.make()
    assert marked.exists()


@pytest.mark.slow
def test_an_environment_of_other_versions_is_made_again(folder: Path) -> None:
    for version in ("1.0", "2.0"):
        write_wheel(folder.parent / "wheels", version)
    PIECE.make()
    newer = replace(PIECE, requirements=("museum-piece==2.0",))
    assert not newer.is_there()
    newer.make()
    assert newer.is_there()
    assert not PIECE.is_there()


def test_a_wheel_that_is_gone_is_one_line_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(
        MissingDependency, match="No matching distribution found for museum-piece==1.0"
    ) as caught:
        PIECE.make()
    assert "\n" not in str(caught.value)
    assert "do without piece@1" in str(caught.value)
    assert not (folder / "piece@1").exists()


def test_a_python_that_nobody_has_is_one_line(folder: Path) -> None:
    with pytest.raises(MissingDependency, match=r"needs Python 3\.1 or 3\.2, .* `pyenv install 3\.1`"):
        replace(PIECE, python=("3.1", "3.2")).make()
    assert not folder.exists()


def test_a_python_that_cannot_make_environments_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pyenv's scripts are where the version is not chosen, and Debian's Python without ensurepip."""
    for at, text in {"path": "exit 127", "pyenv/versions/3.2.5/bin": "echo 3.2"}.items():
        (tmp_path / at).mkdir(parents=True)
        script = tmp_path / at / "python3.2"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"), prepend=":")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    python = _pinned_environment._python(("3.1", "3.2"))
    assert python == str(tmp_path / "pyenv/versions/3.2.5/bin/python3.2")


def test_a_folder_that_is_no_environment_is_left_alone(folder: Path) -> None:
    (folder / "piece@1").mkdir(parents=True)
    (folder / "piece@1/thesis.txt").touch()
    with pytest.raises(OutputError, match=f"no environment of Python: let {VARIABLE}"):
        PIECE.make()
    assert (folder / "piece@1/thesis.txt").exists()


@pytest.mark.slow
def test_the_program_goes_on_after_one_that_cannot_be_made(folder: Path) -> None:
    names = [name for name, one in runtimes().items() if HERE in one.python][:2]
    command = [sys.executable, "-m", MODULE, "tflite@9.9", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3
    first, *rest = done.stderr.splitlines()
    assert first.startswith("no pinned runtime is called 'tflite@9.9'; choose from: onnxruntime@1.12, ")
    assert [line.partition(":")[0] for line in rest] == names
    alone = subprocess.run(command[:4], capture_output=True, text=True)
    assert alone.returncode == 2


def test_a_backend_without_its_environment_says_how_to_make_it(folder: Path) -> None:
    for name in registry.declared("backends"):
        with pytest.raises(MissingDependency, match=rf"^{name}: .*make extras-museum") as caught:
            registry.load("backends", name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("backend", "code", "says"),
    [
        ("tflite@2.7", 3, "tflite@2.7: TensorFlow Lite 2.7 is not installed"),
        ("tflite@9.9", 2, "no backend is called 'tflite@9.9' (did you mean tflite@2."),
    ],
)
def test_the_command_line_ends_with_the_right_code(
    tmp_path: Path, folder: Path, backend: str, code: int, says: str
) -> None:
    ended = Place(tmp_path).run("--schemes", "fp32", "--formats", "tflite", "--backends", backend)
    assert ended.code == code
    assert says in ended.err
    assert "Traceback" not in ended.err
