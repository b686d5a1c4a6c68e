"""From the options of `convert` to its request, and from its report to the exit code."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.bundled import bundled
from resnet_edge.core.errors import (
    EXIT_COULD_NOT,
    EXIT_DONE,
    EXIT_FAILED_PROOF,
    EXIT_INCONCLUSIVE,
    UsageError,
)
from resnet_edge.core.report import Report
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.stages.calls import Io, PlanRequest
from resnet_edge.stages.convert import ConvertRequest, class_names_in

BUNDLED_MODEL = "resnet20_fashion_mnist.keras"
BUNDLED_DATA = "fashion-mnist"
BUNDLED_CALIBRATION = "fashion_mnist_calibration.npz"


def request_of(
    model: str | None,
    command: str,
    *,
    formats: tuple[str, ...],
    schemes: tuple[str, ...],
    backends: tuple[str, ...],
    data: str | None,
    calibration: str | None,
    max_drop: float,
    preprocess: str | None,
    io: Io,
    dynamic_batch: bool,
    labels: Path | None,
    input_shape: tuple[int, int, int] | None,
    trust: bool,
    threads: int,
    latency_seconds: float,
) -> ConvertRequest:
    """Check what can be checked at once, and fill in what belongs to the bundled model and data.

    Raises UsageError, UnknownName, ModelError, DataError.
    """
    source = ModelRequest(model or str(bundled(BUNDLED_MODEL)), trust, input_shape, preprocess)
    check_source(source)
    if data is None and model is not None:
        raise UsageError("--data is missing: the artifacts are proved on images; a few hundred labelled ones will do")
    data = data or BUNDLED_DATA
    if calibration is None and data == BUNDLED_DATA:
        calibration = str(bundled(BUNDLED_CALIBRATION))
    return ConvertRequest(
        model=source,
        data=data,
        calibration=calibration,
        plan=PlanRequest(formats, schemes, backends, io),
        max_drop_pp=max_drop,
        threads=threads,
        latency_seconds=latency_seconds,
        dynamic_batch=dynamic_batch,
        class_names=class_names_in(labels) if labels is not None else (),
        command=command,
    )


def exit_code(report: Report) -> int:
    """The contract's exit code: what could not be done weighs most, then a failed proof."""
    if report.failures or not report.artifacts:
        return EXIT_COULD_NOT
    verdicts = {row.verdict for row in report.parity}
    if "fail" in verdicts:
        return EXIT_FAILED_PROOF
    if "inconclusive" in verdicts:
        return EXIT_INCONCLUSIVE
    return EXIT_DONE if report.passed else EXIT_COULD_NOT
