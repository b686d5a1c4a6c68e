"""What `resnet_edge.convert` refuses before any work. Whole runs: test_commands.py, tests/cli."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge import convert, errors
from resnet_edge.core.machine import usable_cores
from tests.api.refusals import check_refused

IMAGES = np.zeros((2, 8, 8, 1), np.uint8)
FLOATS = {"schemes": "fp32,fp16,dynamic"}


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (3, {"data": "fashion-mnist"}, errors.ModelError, "a int is no model"),
        ("resnet20", {}, errors.UsageError, "--data is missing"),
        ("resnet20", {"data": IMAGES[0]}, errors.DataError, r"a ndarray of shape .*, which is no DATA"),
        ("resnet20", {"data": "nowhere"}, errors.DataError, "--data 'nowhere' does not exist"),
        (
            "resnet20",
            {"data": IMAGES, "calibration": "nowhere"},
            errors.DataError,
            "--calibration 'nowhere' does not exist",
        ),
        ("nowhere.keras", {"data": IMAGES}, errors.ModelError, "nowhere.keras"),
        (None, {"schemes": "int4"}, errors.UnknownName, "no scheme is called 'int4'"),
        (None, {"formats": "coreml"}, errors.UnknownName, "no format is called 'coreml'"),
        (None, {"backends": "cudnn"}, errors.UnknownName, "no backend is called"),
        (None, {"runtimes": "tflite=2"}, errors.UsageError, "tflite=2"),
        ("resnet20", {"data": IMAGES, "labels": "nowhere.txt"}, errors.ResnetEdgeError, "nowhere.txt"),
        (
            "resnet20",
            {"data": IMAGES, "threads": usable_cores() + 1},
            errors.UsageError,
            "this process may use",
        ),
        (
            None,
            {"threads": 2, "latency_seconds": 0},
            errors.UsageError,
            "--latency-seconds 0 measures none",
        ),
        (None, {**FLOATS, "calibrator": "minmax"}, errors.UsageError, "--calibrator is for int8 artifacts"),
        (None, {**FLOATS, "repair": "all"}, errors.UsageError, "--repair is for int8 artifacts"),
        (None, {**FLOATS, "calibration": IMAGES}, errors.UsageError, "--calibration is for int8 artifacts"),
        (None, {"out": "no/such/place"}, errors.OutputError, "no/such"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, model: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    check_refused(lambda: convert(model, **options), error, message)


def test_neither_the_data_nor_another_result_is_written_over(here: Path) -> None:
    (here / "dist").mkdir()
    np.savez(here / "dist" / "data.npz", images=IMAGES)
    check_refused(
        lambda: convert("resnet20", data="dist/data.npz", out="dist", overwrite=True),
        errors.UsageError,
        "--out dist would take the place of dist/data.npz, which is read",
    )
    (here / "junit.xml").write_text("of another run")
    check_refused(lambda: convert(junit="junit.xml"), errors.OutputError, "--junit junit.xml exists")
