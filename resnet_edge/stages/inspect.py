"""Runs in the parent. A model file: what is inside, and what platforms' resizing would do to its answers."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.inspection import Inspection
from resnet_edge.core.progress import Report, silent
from resnet_edge.core.resize_check import ResizeCheck
from resnet_edge.core.worker import Worker, log_folder
from resnet_edge.stages.inspect_request import InspectRequest
from resnet_edge.stages.resize_check_request import ResizeCheckRequest

BACKENDS = {"tflite": "litert", "onnx": "onnxruntime"}
"""By format: where the photos are run. The suffix is the format's name."""


def inspect(path: Path) -> Inspection:
    """What is inside. Raises ArtifactError where it is no model file, or a damaged one."""
    format = _format(path)
    with log_folder() as logs, Worker("inspect", logs / "inspect.log") as worker:
        return worker.call(
            "resnet_edge.stages.inspect_worker:inspect", InspectRequest(str(path), format), Inspection, silent
        )


def _format(path: Path) -> str:
    if not path.exists():
        raise ArtifactError(f"{path} is not there: name a .tflite or .onnx file")
    if path.is_dir():
        raise ArtifactError(f"{path} is a folder: name one model file in it")
    format = path.suffix.lstrip(".")
    if format not in BACKENDS:
        raise ArtifactError(f"{path} is no .tflite or .onnx file: name one")
    if not path.stat().st_size:
        raise ArtifactError(f"{path} is empty: copy or convert it again")
    return format


def check_resize(path: Path, found: Inspection, data: str, resize: str, report: Report) -> ResizeCheck:
    """Run the file on the photos in `data`, resized as in training and as platforms do. Raises
    ArtifactError, DataError, UnknownName."""
    labels = found.metadata.scores.labels if found.metadata is not None else ()
    asked = ResizeCheckRequest(
        str(path),
        found.format,
        BACKENDS[found.format],
        data,
        resize,
        class_names=labels[0].labels if labels else (),
    )
    with log_folder() as logs, Worker("resize check", logs / "resize_check.log") as worker:
        return worker.call("resnet_edge.stages.resize_check:resize_check", asked, ResizeCheck, report)
