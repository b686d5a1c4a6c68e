"""What `resnet_edge.inspect` refuses before any work. Whole runs: test_commands.py, tests/cli."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge import errors, inspect
from tests.api.refusals import check_refused


@pytest.mark.parametrize(
    ("file", "options", "error", "message"),
    [
        ("net.tflite", {"resize": "pillow"}, errors.UsageError, "--resize .* name them with --data too"),
        ("nowhere.onnx", {}, errors.ResnetEdgeError, "nowhere.onnx"),
        ("net.keras", {}, errors.ResnetEdgeError, "net.keras"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, file: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    (here / "net.keras").write_bytes(b"not opened")
    check_refused(lambda: inspect(file, **options), error, message)
