"""Makes the two `.npz` files of this folder from the full Fashion-MNIST. README.md tells how.

The same input gives the same arrays on every machine and every numpy: the images are drawn
by `RandomState`, whose stream is frozen (NEP 19), and `.npz` members carry no date. The
compressed bytes may differ where another zlib is in use; the arrays may not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.files import bundled
from resnet_edge.data import fashion_mnist
from resnet_edge.data.image_set import ImageSet

SEED = 0
PER_CLASS = 100


def calibration_rows(labels: NDArray[np.int64], per_class: int, seed: int) -> NDArray[np.int64]:
    """Rows of `labels` (N,): `per_class` of each class, in turn 0, 1, 2, ..., 0, 1, 2, ...

    Taking classes in turn keeps every prefix balanced: the first 200 images are a
    calibration set as well. Raises ValueError where a class has too few images.
    """
    random = np.random.RandomState(seed)
    drawn = [
        random.choice(np.flatnonzero(labels == label), per_class, replace=False)
        for label in np.unique(labels)
    ]
    return np.stack(drawn, axis=1).reshape(-1)


def main(source: Path, out: Path) -> None:
    """Read the four gzip files in `source`, write the two `.npz` files to `out`."""
    test = fashion_mnist.load("test", source)
    _save(out / bundled.TEST_FILE, test, np.arange(len(test)), {})
    train = fashion_mnist.load("train", source)
    assert train.labels is not None
    rows = calibration_rows(train.labels, PER_CLASS, SEED)
    _save(out / bundled.CALIBRATION_FILE, train, rows, {"rows": rows.astype(np.uint16)})


def _save(path: Path, images: ImageSet, rows: NDArray[np.int64], more: dict[str, NDArray[np.uint16]]) -> None:
    assert images.labels is not None
    arrays = {"images": images.images[rows], "labels": images.labels[rows].astype(np.uint8), **more}
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else fashion_mnist.DEBIAN, Path(__file__).resolve().parent)
