"""What `resnet_edge.qat` refuses before any work. Whole runs: tests/cli/test_qat.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge import errors, qat
from tests.api.refusals import check_refused


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("net.keras", {}, errors.UsageError, "--out net.keras is the model itself"),
        ("resnet20", {"out": "net.tflite"}, errors.UsageError, "must end in .keras"),
        ("resnet20", {"temperature": 3.0}, errors.UsageError, "--temperature needs --teacher MODEL"),
        ("nowhere.keras", {}, errors.ModelError, "nowhere.keras"),
        (3, {}, errors.ModelError, "a int is no model"),
        ("resnet20", {"teacher": object()}, errors.ModelError, "a object is no model"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, model: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"data": "fashion-mnist", "out": "net.keras", **options}
    check_refused(lambda: qat(model, **given), error, message)
