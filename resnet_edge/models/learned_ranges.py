"""Activation ranges that quantization-aware training learned, inside the `.keras` file whose weights
they belong to.

A further member of the zip, which Keras does not look at and does not write: a model that is
trained or pruned after that, and saved, has them no more.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Literal

import msgspec

from resnet_edge.core.errors import ModelError, first_line

MEMBER = "resnet_edge/activation_ranges.json"
WEIGHTS = "model.weights.h5"

INPUT = "/input"
"""Behind the name of the layer whose output the quantized part of the network reads, or behind
nothing where that is the input of the model. Keras allows no slash in the name of a layer."""
PRODUCT = "/product"
"""Behind the name of a batch normalization that stands alone: its scaled input, not yet shifted."""

Ranges = dict[str, tuple[float, float]]
"""(min, max) by the name of a layer: of its output, before a softmax or sigmoid that the layer ends in."""


class _Member(msgspec.Struct, forbid_unknown_fields=True):
    """`weights_crc32` is that of the weights that the ranges were learned with."""

    schema: Literal[1]
    weights_crc32: int
    ranges: Ranges


def embed(path: Path, ranges: Ranges) -> None:
    """Put `ranges` into the `.keras` file at `path`, which has none yet. Raises ValueError if it has."""
    with zipfile.ZipFile(path, "a") as archive:
        if MEMBER in archive.namelist():
            raise ValueError(f"{path} has activation ranges already")
        member = _Member(1, archive.getinfo(WEIGHTS).CRC, ranges)
        archive.writestr(MEMBER, msgspec.json.format(msgspec.json.encode(member), indent=1))


def embedded(archive: zipfile.ZipFile, path: Path) -> Ranges | None:
    """The ranges in the open `.keras` file `path`; None where it has none.

    Raises ModelError where they are damaged, or belong to other weights.
    """
    if MEMBER not in archive.namelist():
        return None
    try:
        member = msgspec.json.decode(archive.read(MEMBER), type=_Member)
    except msgspec.DecodeError as error:
        raise ModelError(
            f"{path}: {MEMBER} is damaged ({first_line(error)}): copy the file again, or run qat again"
        ) from error
    if member.weights_crc32 != archive.getinfo(WEIGHTS).CRC:
        raise ModelError(
            f"{path}: its activation ranges were learned with other weights than it holds: run qat again"
        )
    for name, (low, high) in member.ranges.items():
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 <= high and low < high):
            raise ModelError(
                f"{path}: {MEMBER} is damaged (the range of {name} is {low} to {high}): run qat again"
            )
    return member.ranges
