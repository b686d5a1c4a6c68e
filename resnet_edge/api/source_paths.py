"""What a command reads of the disk, and what can be refused of it before any work."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge import zoo
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.bundled import BUNDLED, CALIBRATION_FILE, DATA, MODEL_FILE
from resnet_edge.data.shards.files import is_pattern, named_shards, pattern_files


def read_paths(model: str | None, *words: object) -> tuple[Path, ...]:
    """What is read of the disk: MODEL and DATA, where they are no names, and further files."""
    named = model is None or model in zoo.architectures() or model.startswith("app:")
    texts = [None if named else model]
    for word in words:
        kind, _, folder = str(word).partition(":")
        texts.append(None if word is None else (folder if kind == DATA else str(word)))
    return tuple(path for text in texts if text for path in _paths(text))


def _paths(text: str) -> tuple[Path, ...]:
    try:
        return pattern_files(text) if is_pattern(text) else (Path(text),)
    except DataError:  # who reads it says so
        return ()


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
    if data and (path.is_dir() or (path.is_file() and path.suffix == ".npz") or named_shards(data)):
        return
    problem = "is a file of another kind" if data and path.exists() else "does not exist"
    raise DataError(
        f"{option} {data!r} {problem}: give fashion-mnist, a folder of images, an .npz, or shards (TFRecord, "
        f"a tar of WebDataset, Parquet)"
    )


def seen_from(folder: Path, **words: object) -> dict[str, str]:
    """MODEL and DATA words as they read from within `folder`, so that it works from anywhere: paths relative
    to it, names as they are. What is in memory, or on another drive, is left out."""
    relative = {
        key: _seen_from(folder, str(word)) for key, word in words.items() if isinstance(word, str | Path)
    }
    return {key: word for key, word in relative.items() if word}


def bundled_inputs() -> dict[str, str]:
    """The same of the bundled model and its images."""
    return {
        "model": f"{MODEL_FILE}{BUNDLED}",
        "data": DATA,
        "calibration": f"{CALIBRATION_FILE}{BUNDLED}",
    }


def _seen_from(folder: Path, word: str) -> str:
    kind, colon, path = word.rpartition(":") if word.startswith(f"{DATA}:") else ("", "", word)
    if not (Path(path).exists() or is_pattern(path)):
        return word
    try:
        return f"{kind}{colon}{Path(os.path.relpath(path, folder)).as_posix()}"
    except ValueError:  # Windows has no path from one drive to another
        return ""
