"""What the parent asks of calibrate/lint.py."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.data.images_task import Images
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class LintCalibration(
    Task[CalibrationLint],
    runs="resnet_edge.calibrate.lint:lint",
    reads=(
        "calibration.images",
        "calibration.labels",
        "evaluation.images",
        "evaluation.labels",
        "portable",
        "limits",
        "outputs",
    ),
):
    """Images to calibrate with, those to prove on, and the model that they are for: `head`,
    `preprocessing`, and `macs` of one image (None: not counted).

    `portable` is its float graph (.tflite), or None: then nothing is said of activations.
    `limits` (JSON, ranges by tensor) and `outputs` (.npy) are what that graph gave on the
    calibration images, where calibration has run it already.
    """

    calibration: Images
    evaluation: Images
    head: Head
    preprocessing: Preprocessing
    portable: str | None = None
    limits: str | None = None
    outputs: str | None = None
    macs: int | None = None
