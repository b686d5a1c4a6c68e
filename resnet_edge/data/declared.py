"""Runs in the parent. What DATA declares, before any framework is imported and any model is opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from resnet_edge.core import budget
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.budget import PROMISE
from resnet_edge.core.files.bundled import DATA
from resnet_edge.data.headers_task import DataShape, ReadHeaders
from resnet_edge.data.shards.files import is_pattern, pattern_files
from resnet_edge.workers.process import WorkerProcess, log_folder

_NAMED_FOLDER = f"{DATA}:"
FASHION_MNIST = (28, 28, 1)
"""Of its images, which are bundled or downloaded, and need no look."""


def check_data(*words: str | None) -> Mapping[str, DataShape]:
    """Whether DATA asks for more than it can need, or is wrong in a way that shows without a model: photos by
    their headers, arrays by theirs and by their labels.

    In a worker that loads numpy and Pillow alone, and may take no more than a file may cost that is refused.
    10,000 photos take a second of processor time, a thirtieth of what decoding them takes. Returns (H, W, C)
    of the images of each, None where they differ. Raises DataError; WorkerFailed where one makes a library
    crash."""
    budget.check_data(*words)
    return _look(ReadHeaders(data=_files(words)))


def check_training_data(
    data: str, batch_size: int, input_shape: tuple[int, int, int] | None, *, fresh: bool
) -> Mapping[str, DataShape]:
    """The same of data that a network is trained on. `fresh`: the network is made for the images, and takes
    `input_shape` (H, W, C) or, with None, the size that they have. Returns and raises as `check_data`."""
    budget.check_data(data)
    request = ReadHeaders(
        data=_files((data,)), train=True, fresh=fresh, batch_size=batch_size, input_shape=input_shape
    )
    return _look(request)


def data_sha256(data: str) -> str:
    """SHA-256 of the files that DATA names, and of their names below it: what was made of the same images is
    known by it wherever they are. A data set that has a name, and no folder behind it, is always the same."""
    digest = hashlib.sha256()
    word, _, place = data.partition(":")
    if word == DATA and not place:
        digest.update(word.encode())
    elif is_pattern(data):
        for file in pattern_files(data):
            digest.update(file.name.encode() + b"\0" + sha256_of(file).encode())
    else:
        path = Path(os.path.expanduser(place) if word == DATA else data)
        digest.update(sha256_of(path).encode())
    return digest.hexdigest()


def _files(words: tuple[str | None, ...]) -> tuple[str, ...]:
    """Those that a file or a folder of the user's stands behind."""
    return tuple(dict.fromkeys(word for word in words if word and _is_there(word)))


def _is_there(word: str) -> bool:
    path = Path(word)
    return word.startswith(_NAMED_FOLDER) or path.exists() or is_pattern(word)


def _look(request: ReadHeaders) -> Mapping[str, DataShape]:
    shapes: dict[str, DataShape] = {DATA: FASHION_MNIST}
    if not request.data:
        return shapes
    with log_folder() as logs, WorkerProcess("data", logs / "data.log", memory=PROMISE) as worker:
        return shapes | worker.run(request).shapes
