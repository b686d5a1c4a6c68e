"""Which files a DATA word names: one, those of a pattern, or those of a folder."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.data.present import is_present
from resnet_edge.data.shards.kind import Kind, called, kind_of

MOST = 1_000_000
"""Names that the braces of a pattern may stand for."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_NUMBERED = re.compile(r"(\d+)-of-(\d+)")
"""As TensorFlow and Hugging Face's datasets name the shards of a set: train-00000-of-00004."""
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def is_pattern(word: str) -> bool:
    """Whether it may stand for several files, and is the name of none."""
    return any(letter in word for letter in "*?[{") and not Path(word).exists()


def pattern_files(pattern: str) -> tuple[Path, ...]:
    """The files of a pattern: braces as a shell has them ({000..127}, {a,b}), in their order, and *, ? and
    [], sorted. Raises DataError where one is not there."""
    files: list[Path] = []
    for name in _braced(pattern):
        if not any(letter in name for letter in "*?["):
            if not Path(name).is_file():
                raise DataError(
                    f"there is no file {name}, which {pattern} stands for: name those that are there"
                )
            files.append(Path(name))
            continue
        files += (path for path in map(Path, sorted(glob.glob(_in_folder(name)))) if is_present(path))
    if not files:
        raise DataError(f"{pattern} is the name of no file: name shards that are there, in quotes")
    return tuple(dict.fromkeys(files))


def named_shards(word: str) -> tuple[Path, ...]:
    """The shards that a word names which is a file or a pattern; none where it is neither, or the file is no
    shard. Raises DataError."""
    if is_pattern(word):
        files = pattern_files(word)
        for file in files:
            if kind_of(file) is None:
                raise DataError(f"{file} is no shard, and {word} names it: {SHARDS}")
        return files
    path = Path(word)
    return (path,) if word and path.is_file() and kind_of(path) is not None else ()


SHARDS = "a shard is a TFRecord file, a tar (WebDataset), or a Parquet file"


def folder_shards(folder: Path, others: Iterable[Path]) -> tuple[Path, ...]:
    """Those in a folder, sorted. `others`: its photos, and its folders. Raises DataError where it has both,
    or shards of several sets; OSError."""
    aside = {*others}
    entries = sorted(
        entry for entry in folder.iterdir() if entry not in aside and not entry.name.startswith(".")
    )
    shards = tuple(entry for entry in entries if _is_shard(entry))
    if shards and aside:
        raise DataError(
            f"{folder} holds both shards ({shards[0].name}) and {min(aside).name}: name the shards by a "
            f"pattern, as '{folder / ('*' + shards[0].suffix)}'"
        )
    sets = {re.sub(r"\d+", "", shard.name): shard for shard in reversed(shards)}
    if len(sets) > 1:
        begins = sorted(re.split(r"\d", shard.name)[0] for shard in sets.values())
        raise DataError(
            f"{folder} holds shards of several sets ({', '.join(sorted(s.name for s in sets.values()))}): "
            f"name those of one by a pattern, as '{folder / (begins[0] + '*')}'"
        )
    _check_whole(folder, shards)
    return shards


def _check_whole(folder: Path, shards: Iterable[Path]) -> None:
    """Raises DataError where the names of shards say how many there are, and there are not so many."""
    numbered = [match for shard in shards if (match := _NUMBERED.search(shard.name))]
    counts = sorted({int(match[2]) for match in numbered})
    if len(counts) > 1:
        raise DataError(
            f"{folder} holds shards of {counts[0]:,} and of {counts[1]:,}, as their names count them: name "
            f"those of one set by a pattern, as '{folder / ('*-of-' + numbered[0][2] + '*')}'"
        )
    there = {int(match[1]) for match in numbered}
    if counts and len(there) < counts[0]:
        raise DataError(
            f"{folder} holds {len(there):,} of {counts[0]:,} shards, as their names count them: fetch the "
            f"others, or name those that are enough by a pattern, as '{folder / '*-of-*'}'"
        )


def _is_shard(entry: Path) -> bool:
    """Whatever else is in a folder of shards need not be there to be read."""
    if called(entry) is None and not entry.is_file():
        return False
    return is_present(entry) and kind_of(entry) is not None


def _in_folder(pattern: str) -> str:
    """A pattern, of which a folder that is there may be called as one."""
    folder, name = os.path.split(pattern)
    return os.path.join(glob.escape(folder), name) if os.path.isdir(folder) else pattern


def one_kind(shards: Iterable[Path]) -> Kind:
    """What all of them are. Raises DataError."""
    kinds = {kind_of(shard): shard for shard in shards}
    if len(kinds) > 1:
        names = " and ".join(f"{shard} is {kind}" for kind, shard in sorted(kinds.items(), key=str))
        raise DataError(f"{names}: shards of one set are of one kind")
    (kind,) = kinds
    assert kind is not None  # who calls has asked for each
    return kind


def _braced(pattern: str) -> list[str]:
    names = [pattern]
    while any(_BRACES.search(name) for name in names):
        longer = (each for name in names for each in _first_braced(name))
        names = [*islice(longer, MOST + 1)]
        if len(names) > MOST:
            raise DataError(f"{pattern} stands for more than {MOST:,} names: name a folder")
    return names


def _first_braced(name: str) -> Iterator[str]:
    match = _BRACES.search(name)
    if match is None:
        yield name
        return
    for text in _choices(match[1]):
        yield f"{name[: match.start()]}{text}{name[match.end() :]}"


def _choices(inner: str) -> Iterable[str]:
    match = _RANGE.fullmatch(inner)
    if match is None:
        return inner.split(",")
    first, last, width = int(match[1]), int(match[2]), len(match[1])
    step = 1 if first <= last else -1
    if abs(last - first) > MOST:
        raise DataError(f"{{{inner}}} stands for more than {MOST:,} names: name a folder")
    return (str(number).zfill(width) for number in range(first, last + step, step))
