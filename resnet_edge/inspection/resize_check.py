"""Runs in a worker. Photos through a model, resized as in training and as each platform does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.backends import Session
from resnet_edge.core.answers import answers
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.head import Head
from resnet_edge.core.image_contract import ImageContract, contract
from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.resize_check import ResizeCheck, ResizeRow
from resnet_edge.core.tensors import dequantize
from resnet_edge.data.encoded import EncodedImages
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.load import load
from resnet_edge.data.platforms import PLATFORMS, UNKNOWN, Platform
from resnet_edge.data.resize import apply, box_of
from resnet_edge.evaluation.predict import load_backend, stored
from resnet_edge.graph.last_operation import ends_in_sigmoid
from resnet_edge.inspection.resize_check_task import CheckResize
from resnet_edge.workers.progress import OnProgress, tracked

Pixels = NDArray[np.uint8]
LEAST_WHITE = 200
"""A quantized input whose largest value is below that was not made for pixels up to 255."""
ASSUMED = "nothing says what this file takes: that it takes raw pixels, 0 to 255, was assumed"
GREY = (
    "the model takes grey: each platform resizes in colour, and grey is made of that; MediaPipe itself opens "
    "only models with three channels, in which the graph makes it"
)


@dataclass(kw_only=True)
class _Tally:
    """What is kept of one platform while photos pass by."""

    platform: Platform
    sum_abs: float = 0.0
    max_abs: int = 0
    changed: int = 0
    lost: int = 0
    gained: int = 0


@dataclass
class _Sums:
    """What is kept of all: photos, those that need a resize, and those that the contract gets right."""

    tallies: list[_Tally] = field(default_factory=lambda: [_Tally(platform=one) for one in PLATFORMS])
    photos: int = 0
    resized: int = 0
    right: int = 0


def resize_check(request: CheckResize, on_progress: OnProgress) -> ResizeCheck:
    """Every photo by itself, so that only one is in memory. Raises ArtifactError, DataError, UnknownName,
    DeviceUnavailable, MissingDependency."""
    backend = load_backend(request.backend, request.format, request.path)
    with backend.open_session(Path(request.path), request.device, request.threads) as session:
        height, width, channels = _takes(session.input, request)
        steps = contract(request.resize, height, width, channels)
        notes = (ASSUMED,) if request.takes_pixels is None and session.input.dtype.startswith("f") else ()
        data = load(request.data, "test", (height, width, channels))
        if not isinstance(data.images, EncodedImages):
            return _at_size(request, data, steps, notes)
        squashed = ends_in_sigmoid(Path(request.path))
        head = _head(request.path, session.output, squashed=squashed)
        if head.kind == "binary":
            notes = (*notes, f"the file has one output, and the answer is {head.rule}: that was assumed")
        photos, labels = data.images, _labels(request, data, head.classes)
        if head.kind == "multilabel":  # of which a folder has one for each image
            labels = None
        sums = _Sums()
        step = f"resizes of {Path(request.path).name}"
        for row in tracked(range(len(photos)), step, len(photos), on_progress):
            label = None if labels is None else int(labels[row])
            _add(sums, photos.photo(row), steps, session, head, label)
    return _checked(request, steps, sums, labels is not None, notes)


def _head(path: str, output: TensorSpec, *, squashed: bool) -> Head:
    """Raises ArtifactError for an embedding: by itself, an image has no answer that could change."""
    if output.name == "embedding":
        raise ArtifactError(
            f"{path} gives an embedding, and other resizes are judged by the classes that they change: leave "
            "--data out"
        )
    count = output.shape[1] or 0
    if squashed and count > 1:
        return Head.multilabel(count, "probabilities")
    return Head.of_outputs(count, "probabilities" if squashed else "logits")


def _takes(spec: TensorSpec, request: CheckResize) -> tuple[int, int, int]:
    """Height, width and channels. Raises ArtifactError unless the file takes single images of raw pixels."""
    if spec.shape[0] not in (1, None):
        raise ArtifactError(
            f"{request.path} takes {spec.shape[0]} images at a time: convert it with batch 1 or dynamic"
        )
    affine, least = spec.quantization, float(LEAST_WHITE)
    if affine is not None:
        least = affine.scale[0] * (np.iinfo(spec.dtype).max - affine.zero_point[0])
    if request.takes_pixels is False or least < LEAST_WHITE:
        raise ArtifactError(
            f"{request.path} does not take raw pixels, 0 to 255, and a platform's resize gives nothing else: "
            "convert the model with --preprocess, which puts the rest into the graph"
        )
    height, width, channels = (int(size or 0) for size in spec.image_size)
    return height, width, channels


def _at_size(
    request: CheckResize, images: ImageSet, steps: ImageContract, notes: tuple[str, ...]
) -> ResizeCheck:
    """Arrays, which have the model's size already."""
    return ResizeCheck(
        file=Path(request.path).name,
        source=images.source,
        n=len(images),
        resized=0,
        contract=steps,
        top1=None,
        rows=(),
        unknown=(),
        notes=notes,
    )


def _labels(request: CheckResize, data: ImageSet, classes: int) -> NDArray[np.int64] | None:
    """The model's number of each photo's class. Raises DataError."""
    labels, names = data.labels, data.class_names
    if labels is None:
        return None
    if names and len(names) != classes:
        raise DataError(
            f"{request.data} has {len(names)} classes and the model {classes}: one sub-folder per class of "
            f"the model is needed, or a flat folder without labels"
        )
    if labels.max() >= classes:
        raise DataError(
            f"{request.data} has the label {labels.max()} and the model {classes} classes: fix the labels"
        )
    if names and sorted(names) == sorted(request.class_names):
        labels = np.array([request.class_names.index(name) for name in names], np.int64)[labels]
    return labels


def _add(
    sums: _Sums, photo: Image.Image, steps: ImageContract, session: Session, head: Head, label: int | None
) -> None:
    """One photo: all resizes of it, and what the model makes of each."""
    pixels = apply(steps, photo)
    left, top, right, bottom = box_of(steps, photo.width, photo.height)
    sums.photos += 1
    sums.resized += (right - left, bottom - top) != (steps.width, steps.height) or (left, top) != (0, 0)
    answer, own = _answer(session, head, pixels), (label,)
    sums.right += answer == own
    for tally, other in zip(sums.tallies, _by_platforms(photo, steps), strict=True):
        difference = np.abs(pixels.astype(np.int16) - other)
        tally.sum_abs += float(difference.mean())
        tally.max_abs = max(tally.max_abs, int(difference.max()))
        if not difference.any():
            continue
        theirs = _answer(session, head, other)
        tally.changed += theirs != answer
        tally.lost += answer == own != theirs
        tally.gained += theirs == own != answer


def _by_platforms(photo: Image.Image, steps: ImageContract) -> Iterator[Pixels]:
    """The photo as each platform resizes it: in colour, and made grey after that where the model wants it.

    What an app can crop first is cropped as the contract says.
    """
    colour = photo.convert("RGB")
    whole = np.asarray(colour)
    left, top, right, bottom = box_of(steps, photo.width, photo.height)
    cropped = np.ascontiguousarray(whole[top:bottom, left:right])
    for platform in PLATFORMS:
        source = whole if platform.whole_photo else cropped
        pixels = platform.resize(source, steps.height, steps.width)
        if steps.channels == 1:
            pixels = np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
        yield pixels


def _answer(session: Session, head: Head, pixels: Pixels) -> tuple[int, ...]:
    """The class, or for each label whether it is given."""
    outputs: NDArray[Any] = session.run(stored(pixels[None], session.input))
    answer = answers(head, dequantize(outputs, session.output))
    return tuple(np.atleast_1d(answer[0]).tolist())


def _checked(
    request: CheckResize, steps: ImageContract, sums: _Sums, labelled: bool, notes: tuple[str, ...]
) -> ResizeCheck:
    rows = tuple(_row(tally, sums.photos, labelled) for tally in sums.tallies) if sums.resized else ()
    return ResizeCheck(
        file=Path(request.path).name,
        source=Path(request.data).name or request.data,
        n=sums.photos,
        resized=sums.resized,
        contract=steps,
        top1=sums.right / sums.photos if labelled else None,
        rows=rows,
        unknown=UNKNOWN if sums.resized else (),
        notes=(*notes, GREY) if sums.resized and steps.channels == 1 else notes,
    )


def _row(tally: _Tally, n: int, labelled: bool) -> ResizeRow:
    one = tally.platform
    row = ResizeRow(
        platform=one.name,
        users=one.users,
        how=one.how,
        source=one.source,
        mean_abs=tally.sum_abs / n,
        max_abs=tally.max_abs,
        changed=tally.changed,
    )
    if not labelled:
        return row
    drop = drop_points(n, tally.lost, tally.gained)
    return replace(
        row,
        lost=tally.lost,
        gained=tally.gained,
        change_pp=0.0 - drop.value,
        change_ci95_pp=(-drop.high, -drop.low),
    )
