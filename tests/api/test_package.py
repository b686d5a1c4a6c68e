"""What `resnet_edge.package` refuses before any work. Whole runs: test_commands.py, tests/cli."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge import errors, package
from tests.api.refusals import check_refused


@pytest.mark.parametrize(
    ("folder", "options", "error", "message"),
    [
        (
            "dist",
            {"labels_in": {"?": "x"}},
            errors.UsageError,
            "'\\?' is no language: write it as de or pt-BR",
        ),
        ("nowhere", {}, errors.ResnetEdgeError, "nowhere"),
        ("dist", {}, errors.DataError, "dist holds no report.json"),
        (["dist", "dist"], {}, errors.UsageError, "one folder"),
        ([], {}, errors.UsageError, "one folder"),
        (3, {}, errors.UsageError, "a int is no file"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, folder: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    (here / "dist").mkdir()
    check_refused(lambda: package(folder, **options), error, message)
