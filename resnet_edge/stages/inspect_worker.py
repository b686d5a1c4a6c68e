"""Runs in a worker. What stands in one model file, and what in it will go wrong in an app."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.inspection import Inspection
from resnet_edge.core.progress import Report
from resnet_edge.stages.inspect_request import InspectRequest


def inspect(request: InspectRequest, report: Report) -> Inspection:
    """Read the file. Raises ArtifactError; MissingDependency where the package that reads it is missing."""
    if request.format == "tflite":
        from resnet_edge.stages.inspect_tflite import inside
    elif request.format == "onnx":
        from resnet_edge.stages.inspect_onnx import inside
    else:
        from resnet_edge.stages.inspect_ort import inside
    path = Path(request.path)
    found = inside(path)
    return replace(
        found,
        file=path.name,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        format=request.format,
    )
