"""Fashion-MNIST: Xiao, Rasul, Vollgraf, arXiv:1708.07747; MIT licence; 28x28x1, 10 classes.

The four gzip files are looked for, in this order: a folder that the user names
(`fashion-mnist:FOLDER`), the Keras cache, where Debian's `dataset-fashion-mnist` package
puts them; then they are downloaded into the Keras cache. Nothing is fetched in silence.
The test split also comes with this package and is used unless a folder is named.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.bundled import bundled
from resnet_edge.core.errors import DataError
from resnet_edge.data import ImageSet, Split, npz

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# SHA-256 of the uncompressed IDX files: gzip headers differ between the places, the data does not.
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
TEST_FILE = "fashion_mnist_test.npz"
CALIBRATION_FILE = "fashion_mnist_calibration.npz"


def load(split: Split, folder: Path | None = None) -> ImageSet:
    """The 60,000 training or 10,000 test images. Raises DataError naming all four places."""
    if split == "test" and folder is None:
        test = npz.load(bundled(TEST_FILE))
        return ImageSet(test.images, test.labels, CLASS_NAMES, "fashion-mnist (test)")
    home = _find(split, folder)
    images, labels = (_idx(home / name) for name in FILES[split])
    return ImageSet(images[..., None], labels.astype(np.int64), CLASS_NAMES, f"fashion-mnist ({split})")


def keras_cache() -> Path:
    """Where Keras keeps this data set."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "datasets" / "fashion-mnist"


def _find(split: Split, folder: Path | None) -> Path:
    if folder is not None:
        missing = [name for name in FILES[split] if not (folder / name).is_file()]
        if missing:
            raise DataError(f"{folder} lacks {' and '.join(missing)}")
        return folder
    for place in (keras_cache(), DEBIAN):
        if all((place / name).is_file() for name in FILES[split]):
            return place
    try:
        return fetch(split, keras_cache())
    except OSError as error:
        raise DataError(
            f"the {split} images of Fashion-MNIST are in none of four places: a folder you name with "
            f"--data fashion-mnist:FOLDER; the Keras cache {keras_cache()}; {DEBIAN} (apt-get install "
            f"dataset-fashion-mnist); a download from {ADDRESS} ({error})"
        ) from error


def fetch(split: Split, folder: Path) -> Path:
    """Download the two files of `split` into `folder`, saying so on stderr."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES[split]:
        print(f"downloading {ADDRESS}{name} to {folder}", file=sys.stderr, flush=True)
        part = folder / f"{name}.part"
        with urllib.request.urlopen(ADDRESS + name, timeout=60) as answer:
            part.write_bytes(answer.read())
        part.replace(folder / name)
    return folder


def _idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzipped IDX file (http://yann.lecun.com/exdb/mnist: magic, sizes, bytes)."""
    try:
        raw = gzip.decompress(path.read_bytes())
        rank = raw[3]
        shape = tuple(np.frombuffer(raw, ">i4", rank, offset=4))
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} is damaged ({error}): remove it and run again") from error


def checksum(split: Split) -> str:
    """SHA-256 over the images and labels of `split`, for recipes and manifests."""
    found = load(split)
    assert found.labels is not None
    return hashlib.sha256(found.images.tobytes() + found.labels.tobytes()).hexdigest()
