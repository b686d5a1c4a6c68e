"""Runs in a worker. Images as an .npz of arrays, whatever they are where they come from."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.machine import usable_cores
from resnet_edge.data.array_file_task import WriteArrays
from resnet_edge.data.blocks import spans
from resnet_edge.data.encoded import EncodedImages, ImageRows
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.load import load
from resnet_edge.workers.progress import OnProgress, Progress

STEP = "training images"


def write_data(task: WriteArrays, on_progress: OnProgress) -> WrittenFile:
    """Block by block, for images may be larger than memory. Raises DataError."""
    with tempfile.TemporaryDirectory() as scratch:  # a map of unpacked images
        loaded = load(task.data, task.split, task.shape, Path(scratch), on_progress)
        if isinstance(loaded.images, EncodedImages):
            loaded.images.threads = usable_cores()
        blocks = _blocks(loaded.images, on_progress)
        write_arrays(Path(task.out), loaded, loaded.images.shape[1:], blocks)
    return WrittenFile(task.out)


def write_arrays(out: Path, of: ImageSet, shape: tuple[int, ...], blocks: Iterable[NDArray[Any]]) -> None:
    """The labels and class names of a set, and its images at `shape` (H, W, C), which come in `blocks`
    (n, H, W, C), to an .npz that is not compressed."""
    small: dict[str, NDArray[Any]] = {}
    if of.labels is not None:
        small["labels"] = of.labels
    if of.class_names:
        small["class_names"] = np.array(of.class_names)
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in small.items():
            with archive.open(f"{name}.npy", "w") as member:
                npy.write_array(member, array, allow_pickle=False)
        with archive.open("images.npy", "w", force_zip64=True) as member:
            header = {
                "descr": npy.dtype_to_descr(of.images.dtype),
                "fortran_order": False,
                "shape": (len(of), *shape),
            }
            npy.write_array_header_1_0(member, header)
            for block in blocks:
                member.write(block.tobytes())


def _blocks(images: ImageRows, on_progress: OnProgress) -> Iterator[NDArray[Any]]:
    for span in spans(len(images), images.itemsize * int(np.prod(images.shape[1:]))):
        yield np.asarray(images[span])
        on_progress(Progress(step=STEP, done=span.stop, total=len(images)))
