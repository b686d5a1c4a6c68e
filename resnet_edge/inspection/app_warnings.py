"""Runs in a worker. What in a model file goes wrong in an app, in sentences.

The rules of MediaPipe Tasks are those of image_tensor_specs.cc, image_preprocessing_graph.cc and
classification_postprocessing_graph.cc, seen with mediapipe 1.2.2; that of LiteRT.js with 2.5.3.
"""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.input_bytes import brightest, ends_of_bytes, meant_by_bytes
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata

COLOUR_OF = {1: "GRAYSCALE", 3: "RGB"}
NEARLY = 0.02
"""Of the range of an input: calibration seldom ends at 255 exactly, and 127 and 127.5 are the same mean."""


def of_inputs(inputs: tuple[TensorSpec, ...], consequence: str) -> list[str]:
    """Of sizes and scales, in any format; `consequence` is what follows from a size that is not fixed."""
    warnings = [
        f"{spec.name} has a size that is not fixed: {consequence}" for spec in inputs if None in spec.shape
    ]
    for spec in inputs:
        warnings += _of_pixels(spec)
    return warnings


def _of_pixels(spec: TensorSpec) -> list[str]:
    """What scale and zero point make of pixels (core/input_bytes.py)."""
    ends, most = ends_of_bytes(spec), brightest(spec)
    if ends is None:
        if most is None:
            return []
        how = "brighter pixels are clipped, unless the app prepares them"
        return [
            f"{spec.name} ({spec.dtype}) holds nothing above {most:.4g}, by its scale and zero point: {how}"
        ]
    if _alike(ends, (0.0, 255.0)):
        return []
    how = "right only where the training saw them in that range"
    if meant_by_bytes(spec) is None:  # dark images, or a grid around zero
        how = "wrong where the training saw 0 to 255: an app has to quantize them"
    return [f"{spec.name} takes pixels as they are for {_range(ends)}, by its scale and zero point: {how}"]


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    limit = NEARLY * abs(other[1] - other[0])
    return all(abs(a - b) <= limit for a, b in zip(one, other, strict=True))


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"


def of_tflite(inputs: tuple[TensorSpec, ...], ops: Iterable[str]) -> list[str]:
    """Of what the graph takes and what it is made of."""
    warnings = of_inputs(inputs, "LiteRT.js refuses it, and delegates take no such graph")
    for spec in inputs:
        if spec.dtype in ("int8", "int16"):
            warnings.append(f"{spec.name} is {spec.dtype}: MediaPipe Tasks, ML Kit and LiteRT.js refuse it")
        if len(spec.shape) == 4 and spec.shape[3] not in (3, None):
            warnings.append(
                f"{spec.name} has {spec.shape[3]} channel{'s' if spec.shape[3] != 1 else ''}: MediaPipe "
                "Tasks and ML Kit open RGB only (resnet-edge package makes such a file)"
            )
    custom = [op.partition(":")[2] for op in ops if op.startswith("CUSTOM:")]
    if custom:
        warnings.append(f"not built into LiteRT, so that the app must link it: {', '.join(custom)}")
    return warnings


def of_metadata(
    metadata: ModelMetadata | None, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> list[str]:
    """Where the metadata does not fit the file, or not MediaPipe Tasks."""
    if metadata is None:
        real = any(spec.dtype == "float32" for spec in inputs)
        return ["it has no metadata, and MediaPipe Tasks opens no float32 file without it"] if real else []
    if (len(inputs), len(outputs)) != (1, 1):
        return [
            f"the metadata is of one input and one output, and the file has {len(inputs)} and {len(outputs)}"
        ]
    warnings = [*_of_normalization(metadata.image, inputs[0]), *_of_image(metadata.image, inputs[0])]
    classes = outputs[0].shape[-1] if outputs[0].shape else None
    if not metadata.scores.labels:
        warnings.append("the metadata has no labels: apps show numbers in place of names")
    for file in metadata.scores.labels:
        warnings += _of_labels(file, classes)
    if not metadata.scores.name:
        warnings.append("the metadata names no output: MediaPipe in a browser fails on it")
    return warnings


def _of_normalization(image: ImageInput, spec: TensorSpec) -> list[str]:
    if spec.dtype != "float32":
        if not (image.mean and image.std and all(image.std)):
            return []
        declared = (0 - image.mean[0]) / image.std[0], (255 - image.mean[0]) / image.std[0]
        read = ends_of_bytes(spec)
        if read is not None and _alike(read, declared):
            return []  # the same, said in two ways
        return [
            f"{spec.name} is {spec.dtype}, for which apps ignore the mean and std of the metadata, and these "
            f"say something else ({_range(declared)}) than its scale and zero point"
        ]
    if not (image.mean and image.std):
        return [
            "the metadata gives no mean and std for a float32 input: MediaPipe Tasks refuses the file, and "
            "every other app has to guess"
        ]
    if max(len(set(image.mean)), len(set(image.std))) > 1:
        return [
            "the metadata has another mean or std for each channel, which MediaPipe Tasks refuses: convert "
            "with --preprocess, which puts it into the graph"
        ]
    return []


def _of_image(image: ImageInput, spec: TensorSpec) -> list[str]:
    if len(spec.shape) != 4:
        return [f"{spec.name} is no image (batch, height, width, channels)"]
    warnings = []
    height, width, channels = spec.shape[1:]
    has_size = image.width and image.height
    if has_size and (height or image.height, width or image.width) != (image.height, image.width):
        warnings.append(
            f"the metadata says {image.width} x {image.height} pixels, the file {width} x {height}"
        )
    if image.colour_space not in ("unknown", COLOUR_OF.get(channels or 0)):
        warnings.append(f"the metadata says {image.colour_space}, and the file takes {channels} channels")
    return warnings


def _of_labels(file: LabelFile, classes: int | None) -> list[str]:
    warnings = []
    if classes is not None and len(file.labels) != classes:
        warnings.append(
            f"{file.name} has {len(file.labels)} labels, and the file gives {classes} scores: MediaPipe "
            "Tasks opens it and fails on the first image"
        )
    empty = sum(not label.strip() for label in file.labels)
    if empty:
        warnings.append(f"{file.name} has {empty} empty labels: apps show nothing for these classes")
    return warnings
