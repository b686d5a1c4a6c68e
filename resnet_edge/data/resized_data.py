"""Runs in a worker. DATA of arrays as an .npz of the same images at another size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.data.array_file import write_arrays
from resnet_edge.data.blocks import spans
from resnet_edge.data.encoded import EncodedImages
from resnet_edge.data.load import load, shards_of
from resnet_edge.data.resize import resized
from resnet_edge.data.resized_data_task import ResizeData, ResizedData
from resnet_edge.workers.progress import OnProgress, Progress

STEP = "resized images"


def resize_data(task: ResizeData, on_progress: OnProgress) -> ResizedData:
    """Block by block, for images may be larger than memory. Raises DataError."""
    if Path(task.data).is_dir() or shards_of(task.data):
        return ResizedData(file=None)
    with tempfile.TemporaryDirectory() as scratch:  # a map of the unpacked images
        loaded = load(task.data, task.split, None, Path(scratch), on_progress)
        images = loaded.images
        assert not isinstance(images, EncodedImages)  # those have files, and are neither
        height, width, channels = task.shape
        if images.shape[3] != channels:
            raise DataError(
                f"{loaded.source} holds images of {images.shape[3]} channels, and the model takes "
                f"{channels}: a resize does not change that"
            )
        if images.shape[1:3] == (height, width):
            return ResizedData(file=None)
        blocks = _blocks(images, height, width, on_progress)
        write_arrays(Path(task.out), loaded, (height, width, channels), blocks)
    return ResizedData(file=task.out)


def _blocks(images: NDArray[Any], height: int, width: int, on_progress: OnProgress) -> Iterator[NDArray[Any]]:
    largest = max(height * width, images.shape[1] * images.shape[2])
    for span in spans(len(images), images.itemsize * largest * images.shape[3]):
        yield resized(images[span], height, width)
        on_progress(Progress(step=STEP, done=span.stop, total=len(images)))
