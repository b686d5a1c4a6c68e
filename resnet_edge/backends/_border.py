"""What every backend checks at its border, in the same words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.core.machine import available_memory
from resnet_edge.graph.unfolded import check_unfolded

DTYPES = ("float32", "uint8", "int8", "int16")

AGAIN = "copy or convert it again, or take another backend"
"""What to do about a file that opens and does not run."""


def check_device(backend: str, device: str, known: Collection[str], reason: str) -> None:
    """Raise DeviceUnavailable, with the `reason`, unless `device` is one that `backend` knows."""
    if device not in known:
        raise DeviceUnavailable(
            f"{backend} has no device {device!r} ({reason}); choose from: {', '.join(sorted(known))}"
        )


def check_file(path: Path) -> None:
    """Raise ArtifactError unless `path` is a file with something in it that has an end.

    The runtimes map the file before they look at it, and word the first two cases badly; the third they do
    not notice.
    """
    if not path.is_file():
        raise ArtifactError(f"{path} is not a file: name a model file")
    if path.stat().st_size == 0:
        raise ArtifactError(f"{path} is empty: convert the model again")
    check_unfolded(path)


def the_classifier(
    path: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], *, halves: bool = False
) -> tuple[TensorSpec, TensorSpec]:
    """The one input and the one output of an image classifier.

    The input is (B, H, W, C) with H, W and C fixed, and called as its writer liked; the output is
    (B, classes); both in one of DTYPES, or in float16 where the runtime is fed by numpy (`halves`:
    JavaScript has had an array of float16 since 2025 alone). Anything else is an ArtifactError.
    """
    names = ", ".join(repr(spec.name) for spec in inputs) or "nothing"
    if len(inputs) != 1:
        raise ArtifactError(f"{path} takes {names}, and an image classifier takes one image: name one")
    if len(outputs) != 1:
        raise ArtifactError(f"{path} has {len(outputs)} outputs, and an image classifier has one: name one")
    image, scores = inputs[0], outputs[0]
    if len(image.shape) == 4 and None in image.shape[1:]:
        raise ArtifactError(
            f"{path} takes images of any size {_sizes(image)}, and one is needed: convert the model with "
            "--input-shape H,W,C"
        )
    if len(image.shape) != 4:
        raise ArtifactError(
            f"{path} takes {_sizes(image)}, and not images (batch, height, width, channels): name an image "
            "classifier"
        )
    if len(scores.shape) != 2 or scores.shape[1] is None:
        raise ArtifactError(
            f"{path} gives {_sizes(scores)}, and not one score per class (batch, classes): export it "
            "with its class scores as the output"
        )
    _check_room(path, image)
    known = (*DTYPES, "float16") if halves else DTYPES
    for spec in (image, scores):
        if spec.dtype not in known:
            raise ArtifactError(
                f"{path} has {spec.name!r} in {spec.dtype}, and this backend runs {', '.join(known)}: "
                "convert it to one of these, or take another backend"
            )
    return image, scores


def _check_room(path: Path, image: TensorSpec) -> None:
    """Raise ArtifactError where one image, at one byte a number, is more than there is memory for."""
    need, room = math.prod(size or 1 for size in image.shape), available_memory()
    if need > PROMISE and room is not None and need > room:
        raise ArtifactError(
            f"{path} takes images {_sizes(image)}, {need:,} numbers, and {room:,} bytes of memory are free: "
            "copy or convert it again, or use a machine with more memory"
        )


def specs_of(ends: Sequence[Mapping[str, Any]]) -> list[TensorSpec]:
    """What a program in another language says of inputs or outputs: name, shape and dtype."""
    return [TensorSpec(end["name"], tuple(end["shape"]), end["dtype"]) for end in ends]


def misfit(images: NDArray[Any], spec: TensorSpec) -> str | None:
    """Why `images` cannot be fed to the input `spec`; None where they can."""
    if images.dtype.name != spec.dtype:
        return f"{spec.name!r} takes {spec.dtype}, and the images are {images.dtype.name}"
    fits = images.ndim == len(spec.shape) and all(
        want is None or want == have for want, have in zip(spec.shape, images.shape, strict=True)
    )
    if not fits:
        return f"{spec.name!r} takes {_sizes(spec)}, and the images are ({', '.join(map(str, images.shape))})"
    return None if images.size else f"{spec.name!r} takes at least one image"


def _sizes(spec: TensorSpec) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in spec.shape) + ")"
