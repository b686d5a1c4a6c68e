from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends import tiny


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with every file of tests/backends/tiny.py."""
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))
