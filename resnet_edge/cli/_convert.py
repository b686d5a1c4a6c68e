"""From the options of `convert` to its request, and from its report to the exit code."""

from __future__ import annotations

from pathlib import Path

from resnet_edge import zoo
from resnet_edge.calibrate.calibration_request import CalibratorName, RepairName
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.plan_request import PlanArtifacts
from resnet_edge.core.bundled import BUNDLED, CALIBRATION_FILE, MODEL_FILE, bundled
from resnet_edge.core.doubt import open_doubts
from resnet_edge.core.errors import (
    EXIT_COULD_NOT,
    EXIT_DONE,
    EXIT_FAILED_PROOF,
    EXIT_INCONCLUSIVE,
    DataError,
    UsageError,
)
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.report import Report
from resnet_edge.core.runtime_floor import RuntimeFloor
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.core.verification import Verification
from resnet_edge.data.class_names import class_names_in
from resnet_edge.models import ModelRequest, check_source

BUNDLED_DATA = "fashion-mnist"


def request_of(
    model: str | None,
    command: str,
    *,
    formats: tuple[str, ...],
    schemes: tuple[str, ...],
    backends: tuple[str, ...],
    data: str | None,
    calibration: str | None,
    calibrator: CalibratorName,
    repair: RepairName | None,
    max_drop: float,
    runtimes: tuple[RuntimeFloor, ...],
    choose: bool,
    plan: bool,
    preprocess: str | None,
    io: Io,
    dense_scales: DenseScales,
    integer_softmax: bool,
    dynamic_batch: bool,
    nchw: bool,
    labels: Path | None,
    input_shape: tuple[int, int, int] | None,
    trust: bool,
    threads: int,
    latency_seconds: float,
    accept_reference: bool,
    thorough: bool,
) -> ConvertRequest:
    """Check what can be checked at once, and fill in what belongs to the bundled model and data.

    Raises UsageError, UnknownName, ModelError, DataError.
    """
    source = ModelRequest(model or str(bundled(MODEL_FILE)), trust, input_shape, preprocess)
    check_source(source)
    if threads > usable_cores():
        raise UsageError(
            f"--threads {threads}: this process may use {usable_cores()} cores; ask for at most that"
        )
    if data is None and model is not None:
        raise UsageError(
            "--data is missing: the artifacts are proved on images; a thousand labelled ones mostly suffice"
        )
    data = BUNDLED_DATA if data is None else data
    for option, word in (("--data", data), ("--calibration", calibration)):
        if word is not None:
            check_data(option, word)
    if calibration is None and data == BUNDLED_DATA:
        calibration = str(bundled(CALIBRATION_FILE))
    return ConvertRequest(
        model=source,
        data=data,
        calibration=calibration,
        plan=PlanArtifacts(
            formats=formats,
            schemes=schemes,
            backends=backends,
            io=io,
            integer_scores=integer_softmax,
            runtimes=runtimes,
            choose=choose,
            channels_first=nchw,
            dense_scales=dense_scales,
        ),
        max_drop_pp=max_drop,
        threads=threads,
        latency_seconds=latency_seconds,
        rescue=plan,
        thorough=thorough,
        dynamic_batch=dynamic_batch,
        calibrator=calibrator,
        # Who names a calibrator gets that and nothing else.
        repair=repair or ("auto" if calibrator == "auto" else "none"),
        class_names=class_names_in(labels) if labels is not None else (),
        command=command,
        source_name=f"{MODEL_FILE}{BUNDLED}" if model is None else None,
        accept_reference=accept_reference,
    )


def read_paths(model: str | None, *words: object) -> tuple[Path, ...]:
    """What is read of the disk: MODEL and DATA, where they are no names, and further files."""
    named = model is None or model in zoo.architectures() or model.startswith("app:")
    texts = [None if named else model]
    for word in words:
        kind, _, folder = str(word).partition(":")
        texts.append(None if word is None else (folder if kind == BUNDLED_DATA else str(word)))
    return tuple(Path(text) for text in texts if text)


def check_data(option: str, data: str) -> None:
    """Refuse before any work what cannot be DATA; the worker that reads it looks inside."""
    path = Path(data)
    known = data.partition(":")[0] == BUNDLED_DATA
    if known or (data and (path.is_dir() or (path.is_file() and path.suffix == ".npz"))):
        return
    found = "is a file of another kind" if data and path.exists() else "does not exist"
    raise DataError(f"{option} {data!r} {found}: give fashion-mnist, a folder of images, or an .npz")


def exit_code(report: Report | Verification) -> int:
    """The contract's exit code: what could not be done weighs most, then a failed proof."""
    if report.failures or not report.artifacts:
        return EXIT_COULD_NOT
    verdicts = {row.verdict for row in report.parity}
    if "fail" in verdicts:
        return EXIT_FAILED_PROOF
    if "inconclusive" in verdicts or open_doubts(report.doubts):
        return EXIT_INCONCLUSIVE
    return EXIT_DONE if report.passed else EXIT_COULD_NOT
