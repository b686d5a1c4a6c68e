from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends import tiny


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the TFLite files of tests/backends/tiny.py."""
    files = tmp_path_factory.mktemp("tiny")
    tiny.write_tflite(files)
    return files
