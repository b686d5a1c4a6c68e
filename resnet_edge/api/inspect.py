"""`resnet_edge.inspect`."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.api.checked import checked
from resnet_edge.api.names import Resize
from resnet_edge.api.reports import InspectReport, extended
from resnet_edge.api.values import Data, text, value_files
from resnet_edge.core.errors import UsageError
from resnet_edge.inspection.inspect import check_resize
from resnet_edge.inspection.inspect import inspect as run
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


@checked
def inspect(
    file: str | Path,
    *,
    data: Data | None = None,
    resize: Resize | None = None,
    on_progress: OnProgress = silent,
) -> InspectReport:
    """Tell what is inside `file`, a .tflite, .onnx or .ort file, and what apps may stumble over.

    With photos in `data` it is also run on them, resized as platforms do. Raises UsageError, ArtifactError,
    DataError, UnknownName, MissingDependency, WorkerFailed.
    """
    check_variables()
    if resize is not None and data is None:
        raise UsageError("--resize is how the photos of --data were resized: name them with --data too")
    path = Path(file)
    inspection = run(path)
    if data is None:
        return extended(InspectReport, inspection)
    with value_files() as files:
        word = files.data(data) or ""
        check = files.named(
            check_resize(path, inspection, word, text(resize) or "pillow", files.progress(on_progress))
        )
    return extended(InspectReport, inspection, resize=check)
