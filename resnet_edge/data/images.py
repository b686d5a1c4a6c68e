"""Runs in a worker. DATA as files on disk that every later stage reads: arrays, or where the photos are."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path

import msgspec
import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import usable_cores
from resnet_edge.data.blocks import spans
from resnet_edge.data.encoded import EncodedImages, ImageRows
from resnet_edge.data.image_file import open_images
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.images_task import (
    ENCODED,
    DecodeImages,
    Images,
    PreparedImages,
    PrepareImages,
    TakeFirstImages,
)
from resnet_edge.data.labels import check_labels
from resnet_edge.data.load import load
from resnet_edge.data.rows import evenly
from resnet_edge.workers.progress import OnProgress, Progress, silent

DIFFERENT = 0.9
"""Of the images; public sets repeat a few."""


def prepare(request: PrepareImages, on_progress: OnProgress) -> PreparedImages:
    """Load, check against the model, hold some out if asked, and write what others read. Every photo is
    decoded once, so that one that does not is known before anything is run.

    Raises DataError.
    """
    on_progress(Progress(step="images", note=request.data))
    folder = Path(request.folder)
    loaded = load(request.data, "test", request.shape, folder, on_progress)
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
    if request.seed is not None:
        rows = np.random.default_rng(request.seed).permutation(rows)
    few = request.for_calibration or request.as_array
    if isinstance(loaded.images, EncodedImages):
        loaded.images.threads = usable_cores()
        if not few:
            loaded.images.keep(folder)
    as_array = few or not isinstance(loaded.images, EncodedImages)
    evaluation, different = _written(
        loaded, rows, folder / "evaluation", as_array=as_array, on_progress=on_progress
    )
    if not request.for_calibration:
        _check_repeats(loaded, different, len(rows))
    if not len(held):
        return PreparedImages(evaluation, None)
    held_out, _ = _written(loaded, held, folder / "held_out", as_array=True)
    return PreparedImages(evaluation, held_out)


def first(request: TakeFirstImages, on_progress: OnProgress) -> Images:
    """Some of the images that were prepared, as if there were no more."""
    images = request.images
    labels = None if images.labels is None else np.load(images.labels, allow_pickle=False)
    names = () if images.names is None else msgspec.json.decode(Path(images.names).read_bytes())
    held = open_images(Path(images.images))
    loaded = ImageSet(held, labels, images.class_names, images.source, files=tuple(names))
    stem = Path(request.folder) / f"first_{request.n}"
    return _written(loaded, np.arange(request.n), stem, as_array=not images.encoded)[0]


def decode(request: DecodeImages, on_progress: OnProgress) -> WrittenFile:
    """Raises DataError."""
    rows = np.arange(request.start, request.stop)
    _write(open_images(Path(request.images), usable_cores()), rows, Path(request.out))
    return WrittenFile(request.out)


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
    if isinstance(loaded.images, EncodedImages) or not request.preprocessing.takes_pixels:
        return
    if loaded.images.dtype != np.float32:
        return
    low, high = float(loaded.images.min()), float(loaded.images.max())
    if low < 0 or high > 255 or high <= 1:
        raise DataError(
            f"{loaded.source} holds floats from {low:.3g} to {high:.3g}, and the artifacts take raw pixels, "
            "0 to 255: give raw pixels, or keep the model's own input with --preprocess none"
        )


def _check_repeats(loaded: ImageSet, different: int, count: int) -> None:
    """The same image again proves nothing more, and every interval would take it for another."""
    if different < DIFFERENT * count:
        raise DataError(
            f"{loaded.source} has {different:,} different images among {count:,}, and the same one again "
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


def _written(
    loaded: ImageSet,
    rows: NDArray[np.int64],
    stem: Path,
    *,
    as_array: bool,
    on_progress: OnProgress = silent,
) -> tuple[Images, int]:
    """Some of the images, as files that begin with `stem`, and how many of them differ."""
    path, labels_path = stem.with_suffix(".npy" if as_array else ENCODED), f"{stem}_labels.npy"
    names = stem.with_name(f"{stem.name}_names.json")
    names.write_bytes(msgspec.json.encode([loaded.files[row] if loaded.files else str(row) for row in rows]))
    digest, different = _write(loaded.images, rows, path if as_array else None, on_progress)
    if not as_array and isinstance(loaded.images, EncodedImages):
        loaded.images.rows(rows).save(path)
    if loaded.labels is not None:
        np.save(labels_path, loaded.labels[rows])
        digest.update(loaded.labels[rows].tobytes())
    images = Images(
        images=str(path),
        labels=None if loaded.labels is None else labels_path,
        n=len(rows),
        class_names=loaded.class_names,
        source=loaded.source,
        sha256=digest.hexdigest(),
        names=str(names),
    )
    return images, different


def _write(
    images: ImageRows, rows: NDArray[np.int64], path: Path | None, on_progress: OnProgress = silent
) -> tuple[hashlib._Hash, int]:
    """The hash of rows, and how many of them differ; written as np.save would where `path` says so. Block by
    block, for images may be larger than memory."""
    shape, digest, seen = (len(rows), *images.shape[1:]), hashlib.sha256(), set[bytes]()
    with nullcontext() if path is None else path.open("wb") as file:
        if file is not None:
            header = {"descr": dtype_to_descr(images.dtype), "fortran_order": False, "shape": shape}
            write_array_header_1_0(file, header)
        for span in spans(len(rows), images.itemsize * int(np.prod(images.shape[1:]))):
            block = images[rows[span]]
            content = block.tobytes()
            digest.update(content)
            if file is not None:
                file.write(content)
            seen.update(hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in block)
            on_progress(Progress(step="images", done=span.stop, total=len(rows)))
    return digest, len(seen)
