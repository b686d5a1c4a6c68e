"""Runs in a worker. What is inside a model file, ours or another's."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.artifact import TensorSpec, sha256_of
from resnet_edge.core.inspection import Inspection
from resnet_edge.core.metadata import ModelMetadata
from resnet_edge.core.progress import Report
from resnet_edge.graph.work import work_of
from resnet_edge.stages.inspect_request import InspectRequest

PIXELS = {"uint8": ((1.0,), (0,)), "int8": ((1.0,), (-128,))}
"""Scale and zero point of raw pixels, by dtype."""


def inspect(request: InspectRequest, report: Report) -> Inspection:
    """Read the file. Raises ArtifactError, MissingDependency."""
    path, format = Path(request.path), registry.load("formats", request.format)
    inputs, outputs = format.describe(path)
    metadata: ModelMetadata | None = None
    if request.format == "tflite":
        metadata = format.read_metadata(path)
    work = work_of(path)
    return Inspection(
        path.name,
        request.format,
        path.stat().st_size,
        sha256_of(path),
        inputs,
        outputs,
        format.census(path),
        work.float_macs,
        work.int8_macs,
        work.weight_bytes,
        metadata,
        tuple(_warnings(request.format, inputs, outputs, metadata)),
    )


def _warnings(
    format: str,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    metadata: ModelMetadata | None,
) -> list[str]:
    found = []
    for tensor in (*inputs, *outputs):
        if None in tensor.shape:
            found.append(
                f"{tensor.name!r} has a size that is not fixed: LiteRT.js refuses it, and NNAPI and CoreML "
                "take no node of such a graph"
            )
    found += [warning for tensor in inputs if (warning := _scale_warning(tensor))]
    if format == "tflite" and len(inputs) == 1 and len(outputs) == 1:
        found += _metadata_warnings(inputs[0], outputs[0], metadata)
    return found


def _scale_warning(tensor: TensorSpec) -> str | None:
    grid = tensor.quantization
    if grid is None or tensor.dtype not in PIXELS or (grid.scale, grid.zero_point) == PIXELS[tensor.dtype]:
        return None
    return (
        f"{tensor.name!r} has scale {grid.scale[0]:.6g} and zero point {grid.zero_point[0]}: apps that feed "
        "raw pixels as they are feed it wrongly"
    )


def _metadata_warnings(image: TensorSpec, scores: TensorSpec, metadata: ModelMetadata | None) -> list[str]:
    if image.dtype == "int8":
        return ["MediaPipe Tasks and LiteRT.js refuse an int8 input"]
    if metadata is None:
        needed = image.dtype == "float32"
        return ["it has no metadata: MediaPipe Tasks does not open it"] if needed else []
    found = []
    if image.dtype == "float32" and not metadata.image.mean:
        found.append("the metadata has no mean and standard deviation: MediaPipe Tasks does not open it")
    if image.dtype != "float32" and metadata.image.mean:
        found.append(f"apps ignore the mean and the standard deviation of a {image.dtype} input")
    if len({*metadata.image.mean}) > 1 or len({*metadata.image.std}) > 1:
        found.append("the metadata normalizes by channel, which MediaPipe Tasks refuses")
    for file in metadata.scores.labels:
        if len(file.labels) != scores.shape[-1]:
            found.append(
                f"{file.name} has {len(file.labels)} labels, and there are {scores.shape[-1]} scores"
            )
    return found
