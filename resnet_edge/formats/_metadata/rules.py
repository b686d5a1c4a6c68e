"""What metadata must fulfil so that apps can use it, checked before it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from resnet_edge.core.errors import DataError
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.graph.model import Graph, Tensor

COLOUR_OF = {1: "GRAYSCALE", 3: "RGB"}
"""By the channels of the image."""


def check(metadata: ModelMetadata, graph: Graph) -> None:
    """Raise DataError unless the metadata fits the one input and the one output of `graph`, and is what
    MediaPipe Tasks takes (image_tensor_specs.cc, image_preprocessing_graph.cc)."""
    if (len(graph.inputs), len(graph.outputs)) != (1, 1):
        raise DataError(
            f"metadata of an image classifier is for one input and one output, and the file has "
            f"{len(graph.inputs)} and {len(graph.outputs)}"
        )
    _check_image(metadata.image, graph.tensors[graph.inputs[0]])
    _check_scores(metadata.scores, graph.tensors[graph.outputs[0]])


def _check_image(image: ImageInput, tensor: Tensor) -> None:
    height, width, channels = tensor.shape[1:] if len(tensor.shape) == 4 else (None, None, None)
    if (image.height, image.width) != (height, width):
        raise DataError(
            f"the metadata says {image.width} x {image.height} pixels, and the file takes {width} x {height}"
        )
    if image.colour_space != COLOUR_OF.get(channels or 0):
        raise DataError(f"the metadata says {image.colour_space}, and the file takes {channels} channels")
    if len(image.mean) != len(image.std) or any(value <= 0 for value in image.std):
        raise DataError("the metadata needs a standard deviation above 0 for each mean")
    if tensor.dtype != "float32" and image.mean:
        raise DataError(
            f"the file takes {tensor.dtype} pixels, for which apps ignore mean and standard deviation: put "
            "them into the graph (convert --preprocess)"
        )
    if tensor.dtype == "float32" and not image.mean:
        raise DataError("MediaPipe opens no float32 file without a mean and a standard deviation: give 0, 1")
    if max(len(set(image.mean)), len(set(image.std))) > 1:
        raise DataError(
            "MediaPipe has no normalization by channel: put it into the graph (convert --preprocess)"
        )


def _check_scores(scores: ScoreOutput, tensor: Tensor) -> None:
    classes = tensor.shape[-1] if tensor.shape else None
    if not scores.name:
        raise DataError("the output has no name in the metadata, and MediaPipe in a browser fails without")
    for file in scores.labels:
        _check_labels(file, classes)
    _check_unique("name", (file.name for file in scores.labels))
    _check_unique("locale", (file.locale for file in scores.labels))


def _check_labels(file: LabelFile, classes: int | None) -> None:
    if len(file.labels) != classes:
        raise DataError(f"{file.name} has {len(file.labels)} labels, and the file gives {classes} scores")
    if not file.name or "/" in file.name or "\\" in file.name:
        raise DataError(f"a label file cannot be called {file.name!r}: give a file name without a folder")
    for number, label in enumerate(file.labels, start=1):
        if not label.strip():
            raise DataError(f"{file.name}: label {number} is empty: name every class")
        if label.splitlines() != [label] or "\0" in label:
            raise DataError(f"{file.name}: label {number}, {label!r}, is more than a line")


def _check_unique(what: str, values: Iterable[str]) -> None:
    value, count = max(Counter(values).items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise DataError(f"{count} label files have the {what} {value!r}: each needs its own")
