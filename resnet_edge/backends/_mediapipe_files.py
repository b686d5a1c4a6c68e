"""What MediaPipe's ImageClassifier asks of a .tflite file, in Python and in the browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from flatbuffers.number_types import Float32Flags, Uint8Flags, UOffsetTFlags
from flatbuffers.table import Table
from numpy.typing import NDArray

from resnet_edge.backends._border import misfit
from resnet_edge.backends._litert.session import declared
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.graph.model import load_model

ENDS = frozenset({"float32", "uint8"})
CHANNELS = 3
FIX = "write its metadata again, with a label for each score"
_NORMALIZATION = 1  # its place in the union ProcessUnitOptions
Range = tuple[tuple[float, ...], tuple[float, ...]]


def ends_of(path: Path) -> tuple[TensorSpec, TensorSpec]:
    """The input and the output: scores come as float32, which MediaPipe makes of uint8 ones.
    Raises ArtifactError where it would not open the file, or not feed it raw pixels."""
    image, scores = declared(path)
    if not {image.dtype, scores.dtype} <= ENDS:
        raise ArtifactError(
            f"{path} takes {image.dtype} and gives {scores.dtype}, and MediaPipe has float32 and uint8 "
            "alone: convert with --io float32 or --io uint8"
        )
    if image.shape[0] != 1:
        raise ArtifactError(
            f"{path} takes {image.shape[0] or 'any number of'} images, and MediaPipe one: convert without "
            "--dynamic-batch"
        )
    if image.shape[-1] != CHANNELS:
        raise ArtifactError(
            f"{path} takes images of {image.shape[-1]} channel(s), and MediaPipe gives 3 (RGB): train the "
            "network on RGB images"
        )
    if image.dtype == "float32":
        _check_normalization(path)
    return image, replace(scores, dtype="float32", quantization=None)


def pixels(path: Path, images: NDArray[Any], count: int, spec: TensorSpec) -> NDArray[np.uint8]:
    """The images as MediaPipe takes them, 8 bits a channel. Raises ArtifactError where they do not fit,
    DataError where they are no whole pixels; `count` of them go one at a time."""
    if reason := misfit(images if count == 1 else images[:1], spec):
        raise ArtifactError(f"{path}: {reason}")
    array = np.ascontiguousarray(images)
    if array.dtype == np.uint8:
        return array
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.uint8)
    if not np.array_equal(whole, array):
        raise DataError(f"{path}: MediaPipe takes whole pixels 0 to 255, and the images have others")
    return whole


def normalization(path: Path) -> Range | None:
    """Mean and std of the image in the file's metadata; None where it has none. Raises ArtifactError.

    Read by hand (metadata_schema.fbs 1.5.0), because MediaPipe tells nothing of it.
    """
    model = load_model(path)
    entry = next((one for one in model.metadata or () if one.name == b"TFLITE_METADATA"), None)
    if entry is None:
        return None
    try:
        content = np.asarray(model.buffers[entry.buffer].data, np.uint8).tobytes()
        return _of_metadata(content)
    except Exception as error:  # whatever a damaged flatbuffer raises
        raise ArtifactError(
            f"{path} has damaged metadata ({type(error).__name__}): write it again"
        ) from error


def _check_normalization(path: Path) -> None:
    stored = normalization(path)
    if stored is None:
        raise ArtifactError(
            f"{path} takes float32 and has no metadata that says how pixels become numbers: write metadata "
            "into it, with mean 0 and std 1"
        )
    mean, std = stored
    if set(mean) != {0.0} or set(std) != {1.0}:
        raise ArtifactError(
            f"{path} has mean {mean} and std {std} in its metadata, and here networks take raw pixels: write "
            "metadata with mean 0 and std 1"
        )


def _of_metadata(content: bytes) -> Range | None:
    root = Table(content, int.from_bytes(content[:4], "little"))
    image = _tables(_tables(root, 3)[0], 2)[0]  # subgraph_metadata, input_tensor_metadata
    for unit in _tables(image, 4):  # process_units
        kind = unit.Offset(4)
        if kind and unit.Get(Uint8Flags, unit.Pos + kind) == _NORMALIZATION:
            options = _table(unit, unit.Pos + unit.Offset(6))
            return _floats(options, 0), _floats(options, 1)
    return None


def _table(of: Table, at: int) -> Table:
    return Table(of.Bytes, at + of.Get(UOffsetTFlags, at))


def _tables(of: Table, field: int) -> list[Table]:
    offset = of.Offset(4 + 2 * field)
    if not offset:
        return []
    start = of.Vector(offset)
    return [_table(of, start + 4 * number) for number in range(of.VectorLen(offset))]


def _floats(of: Table, field: int) -> tuple[float, ...]:
    offset = of.Offset(4 + 2 * field)
    if not offset:
        return ()
    start = of.Vector(offset)
    return tuple(float(of.Get(Float32Flags, start + 4 * i)) for i in range(of.VectorLen(offset)))
