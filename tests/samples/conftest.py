"""One bundle for all tests of samples, and a copy of it to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.backends import tiny
from tests.samples import bundles


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
def without_litert(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that says what it says where LiteRT is not installed."""
    folder = tmp_path / "without"
    folder.mkdir()
    error = "ModuleNotFoundError('no LiteRT', name='ai_edge_litert')"
    (folder / "ai_edge_litert.py").write_text(f"raise {error}\n")
    return {"PYTHONPATH": str(folder)}
