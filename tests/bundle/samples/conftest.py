"""One bundle for all tests of samples, and a copy of it to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends import tiny
from tests.bundle.samples import bundles

Without = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, artifacts: Path) -> Path:
    """A bundle of three tiny files with their real scores on four images."""
    folder = tmp_path_factory.mktemp("bundle")
    bundles.write(folder, artifacts)
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


@pytest.fixture
def without(tmp_path: Path) -> Without:
    """The environment of a Python that says what it says where some modules are not installed."""

    def environment(*modules: str) -> dict[str, str]:
        folder = tmp_path / "without"
        folder.mkdir(exist_ok=True)
        for name in modules:
            (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name={name!r})\n")
        return {"PYTHONPATH": str(folder)}

    return environment


@pytest.fixture
def without_litert(without: Without) -> dict[str, str]:
    """The same for everything that opens .tflite files."""
    return without("ai_edge_litert", "tflite_runtime", "tensorflow")
