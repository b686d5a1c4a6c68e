"""Runs in a worker. DATA as arrays on disk that every later stage reads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.data.blocks import spans
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.images_task import Images, PreparedImages, PrepareImages, TakeFirstImages
from resnet_edge.data.labels import check_labels
from resnet_edge.data.load import load
from resnet_edge.data.rows import evenly
from resnet_edge.workers.progress import OnProgress, Progress

DIFFERENT = 0.9
"""Of the images; public sets repeat a few."""


def prepare(request: PrepareImages, on_progress: OnProgress) -> PreparedImages:
    """Load, check against the model, hold some out if asked, and write .npy files.

    Raises DataError.
    """
    on_progress(Progress(step="images", note=request.data))
    folder = Path(request.folder)
    loaded = load(request.data, "test", request.shape, folder)
    _check_values(loaded, request)
    if not request.for_calibration:
        _check_classes(loaded, request)
    rows, held = np.arange(len(loaded)), np.empty(0, np.int64)
    if request.hold_out:
        held = _spread(loaded.labels, len(rows), min(request.hold_out, max(1, len(rows) // 5)))
        rows = np.setdiff1d(rows, held)
    if request.limit:
        labels = None if loaded.labels is None else loaded.labels[rows]
        rows = rows[_spread(labels, len(rows), request.limit)]
    if not len(rows):
        raise DataError(
            f"{loaded.source} has too few images to hold some out for calibration: give more, "
            "or --calibration"
        )
    if not request.for_calibration:
        _check_repeats(loaded, rows)
    if request.seed is not None:
        rows = np.random.default_rng(request.seed).permutation(rows)
    on_progress(Progress(step="images", done=len(rows), total=len(rows), note=loaded.source))
    return PreparedImages(
        _written(loaded, rows, folder / "evaluation"),
        _written(loaded, held, folder / "held_out") if len(held) else None,
    )


def first(request: TakeFirstImages, on_progress: OnProgress) -> Images:
    """Some of the images that were prepared, as if there were no more."""
    images = request.images
    labels = None if images.labels is None else np.load(images.labels, allow_pickle=False)
    names = () if images.names is None else msgspec.json.decode(Path(images.names).read_bytes())
    loaded = ImageSet(
        np.load(images.images, mmap_mode="r"), labels, images.class_names, images.source, files=tuple(names)
    )
    return _written(loaded, np.arange(request.n), Path(request.folder) / f"first_{request.n}")


def _check_classes(loaded: ImageSet, request: PrepareImages) -> None:
    if loaded.labels is None:
        return
    check_labels(loaded.labels, request.kind, request.classes, loaded.source)
    if request.kind == "embedding":
        return
    if loaded.labels.max() >= request.classes:
        raise DataError(
            f"{loaded.source} has label {loaded.labels.max()} at image {loaded.labels.argmax()}, and the "
            f"model has {request.classes} classes (0 to {request.classes - 1}): fix the labels; if "
            "its outputs are an embedding or several labels, say --head embedding or --head multilabel"
        )
    if loaded.class_names and len(loaded.class_names) != request.classes:
        raise DataError(
            f"{loaded.source} has {len(loaded.class_names)} classes and the model {request.classes}: "
            "one sub-folder per class of the model is needed"
        )


def _check_values(loaded: ImageSet, request: PrepareImages) -> None:
    if loaded.images.dtype != np.float32 or not request.preprocessing.takes_pixels:
        return
    low, high = float(loaded.images.min()), float(loaded.images.max())
    if low < 0 or high > 255 or high <= 1:
        raise DataError(
            f"{loaded.source} holds floats from {low:.3g} to {high:.3g}, and the artifacts take raw pixels, "
            "0 to 255: give raw pixels, or keep the model's own input with --preprocess none"
        )


def _check_repeats(loaded: ImageSet, rows: NDArray[np.int64]) -> None:
    """The same image again proves nothing more, and every interval would take it for another."""
    different = len({hashlib.blake2b(loaded.images[row].tobytes(), digest_size=16).digest() for row in rows})
    if different < DIFFERENT * len(rows):
        raise DataError(
            f"{loaded.source} has {different:,} different images among {len(rows):,}, and the same one again "
            "proves nothing: give each once"
        )


def _spread(labels: NDArray[np.int64] | None, n: int, count: int) -> NDArray[np.int64]:
    """`count` of `n` rows: as many of every class, each evenly through the set; fewer where a class has not
    so many. Of several labels per image, evenly through the set, whatever their labels."""
    if count >= n:
        return np.arange(n)
    if labels is None or labels.ndim == 2:
        return evenly(n, count)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    share, more = divmod(count, len(classes))
    picked = [rows[evenly(len(rows), share + (number < more))] for number, rows in enumerate(classes)]
    return np.sort(np.concatenate(picked))


def _written(loaded: ImageSet, rows: NDArray[np.int64], stem: Path) -> Images:
    paths = stem.with_suffix(".npy"), stem.with_name(f"{stem.name}_labels.npy")
    names = stem.with_name(f"{stem.name}_names.json")
    names.write_bytes(msgspec.json.encode([loaded.files[row] if loaded.files else str(row) for row in rows]))
    digest = _write(loaded.images, rows, paths[0])
    if loaded.labels is not None:
        np.save(paths[1], loaded.labels[rows])
        digest.update(loaded.labels[rows].tobytes())
    labels = None if loaded.labels is None else str(paths[1])
    return Images(
        images=str(paths[0]),
        labels=labels,
        n=len(rows),
        class_names=loaded.class_names,
        source=loaded.source,
        sha256=digest.hexdigest(),
        names=str(names),
    )


def _write(images: NDArray[Any], rows: NDArray[np.int64], path: Path) -> hashlib._Hash:
    """Write rows as np.save would, and hash them; block by block, for images may be mapped from a
    file that is larger than memory."""
    shape, digest = (len(rows), *images.shape[1:]), hashlib.sha256()
    header = {"descr": dtype_to_descr(images.dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        write_array_header_1_0(file, header)
        for span in spans(len(rows), images.itemsize * int(np.prod(images.shape[1:]))):
            content = images[rows[span]].tobytes()
            file.write(content)
            digest.update(content)
    return digest
