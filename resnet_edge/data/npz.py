"""An `.npz` file with `images` and, optionally, `labels` and `class_names`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from resnet_edge.core.errors import DataError
from resnet_edge.data import ImageSet


def load(path: Path) -> ImageSet:
    """Read the arrays; never unpickles. Raises DataError with what is wrong and where."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "images" not in arrays:
                raise DataError(f"{path} has no array 'images'; it holds: {', '.join(arrays) or 'nothing'}")
            images = arrays["images"]
            labels = arrays["labels"] if "labels" in arrays else None
            names = arrays["class_names"] if "class_names" in arrays else ()
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise DataError(f"{path} cannot be read as .npz: {error}") from error
    if images.ndim != 4:
        raise DataError(f"'images' in {path} has shape {images.shape}; it must be (N,H,W,C)")
    if images.dtype.kind == "f":
        images = images.astype(np.float32, copy=False)
        bad = ~np.isfinite(images).reshape(len(images), -1).all(axis=1)
        if bad.any():
            raise DataError(f"'images' in {path} has NaN or Inf in {bad.sum()} images, the first at {bad.argmax()}")
    elif images.dtype != np.uint8:
        raise DataError(f"'images' in {path} is {images.dtype}; it must be uint8 or float32")
    return ImageSet(images, _labels(labels, len(images), path), tuple(map(str, names)), path.name)


def _labels(labels: np.ndarray | None, count: int, path: Path) -> np.ndarray | None:
    if labels is None:
        return None
    labels = np.squeeze(labels, axis=1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise DataError(
            f"'labels' in {path} is {labels.dtype} {labels.shape}; it must be {count} integers, one per image"
        )
    labels = labels.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise DataError(f"'labels' in {path} has negative class {labels.min()} at {labels.argmin()}")
    return labels
