"""Runs in the parent. A model file: what is inside, and what platforms' resizing would do to its answers."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.core.results.resize_check import ResizeCheck
from resnet_edge.data.declared import check_data
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.inspection.inspect_task import InspectFile
from resnet_edge.inspection.resize_check_task import CheckResize
from resnet_edge.workers.process import WorkerProcess, log_folder
from resnet_edge.workers.progress import OnProgress


def inspect(path: Path) -> Inspection:
    """What is inside. Raises ArtifactError where it is no model file, or a damaged one."""
    format = _format(path)
    with log_folder() as logs, WorkerProcess("inspect", logs / "inspect.log") as worker:
        return worker.run(InspectFile(path=str(path), format=format))


def _format(path: Path) -> str:
    """Told by the suffix. Raises ArtifactError where there is no such file, or none that can be read."""
    known = ", ".join(f".{name}" for name in FIRST_BACKEND)
    if path.is_dir():
        inside = sorted(file.name for file in path.iterdir() if file.suffix.lower()[1:] in FIRST_BACKEND)
        files = f"one of {', '.join(inside[:3])}" if inside else f"a file ({known})"
        raise ArtifactError(f"{path} is a folder: name {files}")
    if not path.exists():
        raise ArtifactError(f"{path} is not there: name a file ({known})")
    if path.suffix.lower()[1:] not in FIRST_BACKEND:
        keras = path.suffix.lower() in (".keras", ".h5")
        fix = "convert it first" if keras else f"inspect reads {known}"
        raise ArtifactError(f"{path} is no TFLite or ONNX file: {fix}")
    if not path.is_file():
        raise ArtifactError(f"{path} is no file: name one ({known})")
    if path.stat().st_size == 0:
        raise ArtifactError(f"{path} is empty: copy or convert it again")
    return path.suffix.lower()[1:]


def check_resize(
    path: Path, inspection: Inspection, data: str, resize: str, on_progress: OnProgress
) -> ResizeCheck:
    """Run the file on the photos in `data`, resized as in training and as platforms do. Raises
    ArtifactError, DataError, UnknownName."""
    check_data(data)
    request = CheckResize(
        path=str(path),
        format="tflite"
        if inspection.format == "tflite"
        else "onnx",  # onnxruntime takes an .ort file as that
        backend=FIRST_BACKEND[inspection.format],
        data=data,
        resize=resize,
        takes_pixels=_takes_pixels(inspection),
        class_names=_class_names(inspection),
    )
    with log_folder() as logs, WorkerProcess("resize check", logs / "resize_check.log") as worker:
        return worker.run(request, on_progress)


def _takes_pixels(inspection: Inspection) -> bool | None:
    """What the metadata says of a float input, None where it says nothing."""
    if inspection.metadata is None or not (inspection.metadata.image.mean and inspection.metadata.image.std):
        return None
    if inspection.inputs[0].dtype != "float32":
        return None  # apps ignore it there
    return set(inspection.metadata.image.mean) == {0.0} and set(inspection.metadata.image.std) == {1.0}


def _class_names(inspection: Inspection) -> tuple[str, ...]:
    labels = inspection.metadata.scores.labels if inspection.metadata is not None else ()
    return next((file.labels for file in labels if not file.locale), labels[0].labels if labels else ())
