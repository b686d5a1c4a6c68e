"""What a model file is: an artifact and its tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Quantization:
    """Affine quantization of one tensor: real = scale * (stored - zero_point).

    One scale and zero point, or one per slice along `axis`.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None


Layout = Literal["NHWC", "NCHW"]


@dataclass(frozen=True)
class TensorSpec:
    """A model's input or output; None in `shape` is a dynamic size; `dtype` as numpy spells it."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    quantization: Quantization | None = None

    def channels_first(self, size: Sequence[int]) -> bool:
        """Whether an input takes images of `size` (H, W, C) as (C, H, W): what PyTorch, TensorRT and
        `tf2onnx --inputs-as-nchw` write."""
        height, width, channels = size
        taken = tuple(self.shape[1:])
        return taken == (channels, height, width) and taken != (height, width, channels)

    @property
    def layout(self) -> Layout | None:
        """The order of an image's axes, as far as the sizes alone tell: there are fewer channels than rows
        and columns. None where they do not tell, and where it is no image."""
        if len(self.shape) != 4 or None in self.shape[1:]:
            return None
        first, second, third = (size or 0 for size in self.shape[1:])
        if third < min(first, second):
            return "NHWC"
        return "NCHW" if first < min(second, third) else None

    @property
    def image_size(self) -> tuple[int | None, ...]:
        """Height, width and channels of an image, whichever order `layout` tells."""
        one, two, three = self.shape[1:]
        return (two, three, one) if self.layout == "NCHW" else (one, two, three)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A model file in a format, and how its numbers are represented.

    `path` is where the file is now; `converter` names what wrote it, with its version.
    """

    path: str
    format: str
    scheme: str
    size_bytes: int
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    converter: str = ""

    @property
    def file(self) -> str:
        """The file name alone, as the report prints it."""
        return Path(self.path).name


def sha256_of(path: Path, *beside: Path) -> str:
    """SHA-256 of a file, with files `beside` it that hold a part of it, or of a folder: of its files'
    relative names and contents, in order."""
    digest = hashlib.sha256()
    files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path, *beside]
    for file in files:
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
