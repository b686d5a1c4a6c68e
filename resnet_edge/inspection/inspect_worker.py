"""Runs in a worker. What stands in one model file, and what in it will go wrong in an app."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, ResnetEdgeError, first_line
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.graph.unfolded import check_unfolded
from resnet_edge.inspection.inspect_task import InspectFile
from resnet_edge.workers.progress import OnProgress


def inspect(request: InspectFile, on_progress: OnProgress) -> Inspection:
    """Read the file. Raises ArtifactError; MissingDependency where the package that reads it is missing."""
    if request.format == "tflite":
        from resnet_edge.inspection.inspect_tflite import inside
    elif request.format == "onnx":
        from resnet_edge.inspection.inspect_onnx import inside
    else:
        from resnet_edge.inspection.inspect_ort import inside
    path = Path(request.path)
    check_unfolded(path)
    try:
        inspection = inside(path)
    except (ResnetEdgeError, MemoryError):
        raise
    except Exception as error:  # a file that refers to what is not there, in whatever way
        raise ArtifactError(
            f"{path} is damaged ({type(error).__name__}: {first_line(error)}): copy or convert it again"
        ) from error
    if not all(map(math.isfinite, _numbers(inspection))):
        raise ArtifactError(f"{path} is damaged (a number in it is not finite): copy or convert it again")
    return replace(
        inspection,
        file=path.name,
        size_bytes=inspection.size_bytes or path.stat().st_size,
        sha256=sha256_of(path),
        format=request.format,
        layout=inspection.inputs[0].layout if inspection.inputs else None,
    )


def _numbers(inspection: Inspection) -> Iterator[float]:
    """All that a damaged file can make NaN or infinite, which JSON does not carry."""
    for spec in (*inspection.inputs, *inspection.outputs):
        yield from spec.quantization.scale if spec.quantization is not None else ()
    if inspection.metadata is not None:
        image, scores = inspection.metadata.image, inspection.metadata.scores
        yield from (*image.mean, *image.std, *(image.value_range or ()), *(scores.value_range or ()))
