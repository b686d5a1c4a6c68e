"""What `resnet_edge.bench` refuses before any work. Whole runs: test_commands.py, tests/cli/test_bench.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge import bench, errors
from tests.api.refusals import check_refused


@pytest.mark.parametrize(
    ("paths", "options", "error", "message"),
    [
        ([], {}, errors.UsageError, "name artifacts, or a folder that"),
        ("nowhere.tflite", {}, errors.ResnetEdgeError, "nowhere.tflite"),
        ("net.tflite", {"backends": ["abacus"]}, errors.UnknownName, "no backend is called 'abacus'"),
        ("net.tflite", {"overwrite": True}, errors.UsageError, "name it with --html or --junit"),
        ("net.tflite", {"html": "net.tflite"}, errors.ResnetEdgeError, "--html net.tflite"),
        ("net.tflite", {"junit": "no/junit.xml"}, errors.OutputError, "--junit no/junit.xml"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, paths: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    (here / "net.tflite").write_bytes(b"not opened")
    check_refused(lambda: bench(paths, **options), error, message)
