"""Runs in a worker. What DATA declares: photos by their headers, arrays by theirs and by their labels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.core.machine import available_memory
from resnet_edge.data import fashion_mnist, folder, npz
from resnet_edge.data.headers_task import DataShape, Headers, ReadHeaders
from resnet_edge.data.image_set import Split
from resnet_edge.data.load import shards_of
from resnet_edge.data.photo import check_header
from resnet_edge.data.shards.files import one_kind
from resnet_edge.workers.progress import OnProgress

_FLOAT = 4
"""Bytes of a value of a batch, whatever the images are kept as."""


@dataclass(frozen=True, kw_only=True)
class _Images:
    """What is known of images without unpacking them: how many, and (H, W, C); C of photos is the least.
    `common`: what all of them have. `kept`: all are in memory; photos are decoded when they are asked for."""

    count: int
    shape: tuple[int, ...]
    common: DataShape
    files: int = 1
    kept: bool = True


def look(request: ReadHeaders, on_progress: OnProgress) -> Headers:
    """Raises DataError, with the first thing that is wrong."""
    files, shapes = 0, {}
    for data in request.data:
        headers = _look(data, request)
        files += headers.files
        shapes[data] = headers.common
        if request.fresh:
            _check_room(data, headers, request)
    return Headers(files=files, shapes=shapes)


def _look(data: str, request: ReadHeaders) -> _Images:
    word, _, place = data.partition(":")
    if word == "fashion-mnist":
        named = Path(os.path.expanduser(place))
        splits: tuple[Split, ...] = ("train", "test") if request.train else ("test",)
        (count, *size), *_ = (fashion_mnist.look(split, named) for split in splits)
        height, width = size
        shape = height, width, 1
        return _Images(count=count, shape=shape, common=shape, files=2 * len(splits))
    if shards := shards_of(data):
        return _shards(data, shards, request)
    if Path(data).is_dir():
        return _photos(Path(data), request)
    number, *array = npz.look(Path(data), fresh=request.fresh)
    height, width, channels = array
    return _Images(count=number, shape=(height, width, channels), common=(height, width, channels))


def _shards(data: str, shards: tuple[Path, ...], request: ReadHeaders) -> _Images:
    """Of which kind they are, and no more: to look at photos, all has to be read."""
    one_kind(shards)
    if request.fresh and request.input_shape is None:
        raise DataError(
            f"{data} holds photos of any size: say what the network is to take with --input-shape H,W,C"
        )
    height, width, channels = request.input_shape or (1, 1, 1)
    return _Images(
        count=request.batch_size,
        shape=(height, width, channels),
        common=(None, None, None),
        files=len(shards),
        kept=False,
    )


def _photos(path: Path, request: ReadHeaders) -> _Images:
    files = folder.files_of(path)
    headers = [check_header(file) for file in files]
    sizes = [(header.width, header.height) for header in headers]
    if request.fresh and request.input_shape is None:
        _check_alike(files, sizes)
    width, height = sizes[0]
    channels = {1 if header.mode in folder.GREY else 3 for header in headers}
    alike = len(set(sizes)) == 1
    common = (
        height if alike else None,
        width if alike else None,
        channels.pop() if len(channels) == 1 else None,
    )
    return _Images(count=len(files), shape=(height, width, 1), common=common, files=len(files), kept=False)


def _check_alike(files: list[Path], sizes: list[tuple[int, int]]) -> None:
    """A network takes one size. Where photos have several, the first of them says nothing about it."""
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise DataError(
                f"{files[0]} has {sizes[0][0]:,}x{sizes[0][1]:,} pixels and {file} {size[0]:,}x{size[1]:,}: "
                "say what the network is to take with --input-shape H,W,C, and all are resized to that"
            )


def _check_room(data: str, images: _Images, request: ReadHeaders) -> None:
    """Whether the pixels fit the memory: all of them as they are kept, and one batch as the network gets it.
    The network's own values come on top, many times that."""
    height, width, channels = request.input_shape or images.shape
    one, size = height * width * channels, min(images.count, request.batch_size)
    whole = one * images.count if images.kept else 0
    needed, free = max(whole, one * size * _FLOAT), available_memory()
    if free is not None and needed > free:
        what = f"{images.count:,} images" if whole == needed else f"batches of {size:,} images"
        raise DataError(
            f"{what} of {height:,}x{width:,} pixels from {data} take {needed:,} bytes, and {free:,} of "
            "memory are free: give smaller images or a smaller --batch-size, or, for photos, --input-shape"
        )
