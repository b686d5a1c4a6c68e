"""What `resnet_edge.verify` refuses before any work. Whole runs: test_commands.py, tests/cli."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge import errors, verify
from resnet_edge.api.verify import is_artifact
from tests.api.refusals import check_refused

IMAGES = np.zeros((2, 8, 8, 1), np.uint8)
KERAS = {"reference": "resnet20", "data": IMAGES}
FILE = {"reference": "other.onnx", "data": IMAGES}


@pytest.fixture
def files(here: Path) -> Path:
    """The names of two artifacts; nothing opens them."""
    for name in ("net.tflite", "other.onnx"):
        (here / name).write_bytes(b"not opened")
    return here


@pytest.mark.parametrize(
    ("reference", "expected"),
    [(None, False), ("resnet20", False), ("net.keras", False), ("a/NET.TFLITE", True), ("net.onnx", True)],
)
def test_the_suffix_tells_artifacts_from_models(reference: str | None, expected: bool) -> None:
    assert is_artifact(reference) is expected


@pytest.mark.parametrize(
    ("artifacts", "options", "error", "message"),
    [
        ([], {"data": "fashion-mnist"}, errors.UsageError, "nothing to verify"),
        (3, {}, errors.UsageError, "a int is no file"),
        ("net.tflite", {"data": IMAGES}, errors.UsageError, "--reference is missing"),
        ("net.tflite", {"reference": "resnet20"}, errors.UsageError, "--data is missing"),
        ("net.tflite", {**KERAS, "data": "nowhere"}, errors.DataError, "--data 'nowhere' does not exist"),
        ("net.tflite", {**KERAS, "calibration": "no"}, errors.DataError, "--calibration 'no' does not"),
        ("net.tflite", {**KERAS, "backends": "cudnn"}, errors.UnknownName, "no backend is called"),
        ("net.tflite", {**KERAS, "golden_images": 3}, errors.UsageError, "name a file with --save-golden"),
        ("net.tflite", {**KERAS, "overwrite": True}, errors.UsageError, "name it with --html, --junit or"),
        ("net.tflite", {**FILE, "reference": "gone.onnx"}, errors.UsageError, "gone.onnx is not there"),
        ("net.tflite", {**FILE, "trust": True}, errors.UsageError, "--trust is for a Keras model"),
        ("net.tflite", {**FILE, "feed": "pixels"}, errors.UsageError, "--feed is for a Keras model"),
        ("net.tflite", {**FILE, "input_shape": (8, 8, 1)}, errors.UsageError, "--input-shape is for a Keras"),
        ("net.tflite", {**FILE, "attribute": 9}, errors.UsageError, "--attribute is for a Keras model"),
        (
            "net.tflite",
            {**KERAS, "attribute": 0, "unpruned": "resnet20"},
            errors.UsageError,
            "--unpruned is for causes",
        ),
        (
            "net.tflite",
            {**KERAS, "save_golden": "golden.json", "feed": "preprocessed"},
            errors.UsageError,
            "leave out --feed preprocessed",
        ),
        ("net.tflite", {**KERAS, "save_golden": "net.tflite"}, errors.ResnetEdgeError, "net.tflite"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    files: Path, artifacts: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    check_refused(lambda: verify(artifacts, **options), error, message)
    assert (files / "net.tflite").read_bytes() == b"not opened"


def test_options_that_say_nothing_are_no_options(files: Path) -> None:
    """trust=False is not a wish about a file: the data are what is missing."""
    check_refused(
        lambda: verify("net.tflite", reference="other.onnx", trust=False),
        errors.UsageError,
        "--data is missing",
    )
