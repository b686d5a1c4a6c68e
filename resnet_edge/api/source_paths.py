"""What a command reads of the disk, and what can be refused of it before any work."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge import zoo
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.bundled import DATA


def read_paths(model: str | None, *words: object) -> tuple[Path, ...]:
    """What is read of the disk: MODEL and DATA, where they are no names, and further files."""
    named = model is None or model in zoo.architectures() or model.startswith("app:")
    texts = [None if named else model]
    for word in words:
        kind, _, folder = str(word).partition(":")
        texts.append(None if word is None else (folder if kind == DATA else str(word)))
    return tuple(Path(text) for text in texts if text)


def check_data(option: str, data: str) -> None:
    """Refuse before any work what cannot be DATA; the worker that reads it looks inside. Raises DataError."""
    path = Path(data)
    name, _, place = data.partition(":")
    if name == DATA:
        if place and not Path(os.path.expanduser(place)).is_dir():
            raise DataError(
                f"{option} {data!r}: {place} is no folder: name the one that holds its four files"
            )
        return
    if data and (path.is_dir() or (path.is_file() and path.suffix == ".npz")):
        return
    problem = "is a file of another kind" if data and path.exists() else "does not exist"
    raise DataError(f"{option} {data!r} {problem}: give fashion-mnist, a folder of images, or an .npz")
