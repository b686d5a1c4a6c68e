"""DATA as images and labels: one loader per file, picked by what the word looks like (contract: DATA)."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.data.class_names import check_names
from resnet_edge.data.image_set import ImageSet, Split, check_size, on_stderr
from resnet_edge.data.shards.files import folder_shards, named_shards
from resnet_edge.workers.progress import OnProgress


def load(
    data: str,
    split: Split,
    shape: tuple[int, int, int] | None = None,
    scratch: Path | None = None,
    on_progress: OnProgress = on_stderr,
) -> ImageSet:
    """Load DATA: `fashion-mnist[:FOLDER]`, an `.npz` file, a folder of images, or shards: a file, a folder or
    a pattern (data/shards).

    `split` chooses between the training and the test images of a data set that has both; a
    file or folder of the user's is the same for either. `shape` (H, W, C) is what the model
    takes: photos are resized to it when they are asked for; arrays must already have it.
    `scratch` is a folder for the arrays of an archive (they are memory-mapped, never all in memory) and for
    photos that can be read in their order alone. `on_progress` hears of a download. Files whose headers do
    not have that shape are not unpacked, to a thousand times their size. Raises DataError."""
    word, _, place = data.partition(":")
    path = Path(data)
    if word == "fashion-mnist":
        from resnet_edge.data import fashion_mnist

        named = Path(os.path.expanduser(place)) if place else None
        if named is not None:
            check_size((*fashion_mnist.look(split, named)[1:], 1), f"{word} ({split})", shape)
        loaded = fashion_mnist.load(split, named, on_progress)
    elif shards := shards_of(data):
        from resnet_edge.data.shards import load as _shards

        loaded = _shards.load(shards, path.name, shape, scratch, on_progress)
    elif data and path.is_dir():
        from resnet_edge.data import folder

        loaded = folder.load(path, shape)
    elif path.suffix == ".npz" and path.is_file():
        from resnet_edge.data import npz

        loaded = npz.load(path, scratch, shape)
    else:
        raise DataError(_no_data(data, path))
    return _fitting(loaded, shape)


def shards_of(data: str) -> tuple[Path, ...]:
    """The shards that DATA names; none where it names something else. Raises DataError."""
    path = Path(data)
    if not data or not path.is_dir():
        return named_shards(data)
    from resnet_edge.data import folder

    try:
        return folder_shards(path, folder.photos_and_folders(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _fitting(loaded: ImageSet, shape: tuple[int, int, int] | None) -> ImageSet:
    if loaded.images.size == 0:
        raise DataError(f"{loaded.source} holds no image")
    check_size(loaded.images.shape[1:], loaded.source, shape)
    check_names(loaded.class_names, loaded.source)
    return loaded


def _no_data(data: str, path: Path) -> str:
    forms = (
        "give 'fashion-mnist', a folder of images, an .npz file with 'images' (N,H,W,C) and, optionally, "
        "'labels' (N,) "
        "or, of several per image, (N, labels) of 0 and 1, or shards (TFRecord, WebDataset's tar, Parquet): "
        "a file, their folder, or a pattern"
    )
    if path.suffix == ".npz":
        return f"the data file {data} does not exist: {forms}"
    return f"{data!r} is no data: {forms}"
