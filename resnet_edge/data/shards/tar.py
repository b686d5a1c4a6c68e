"""A tar of photos, as WebDataset has it: files of one sample stand next to each other and share their name up
to the first dot, `000123.jpg` and `000123.cls` (the class as a number) or `000123.json` ({"label": 7}).

Read with Python's tarfile, and not with the package webdataset: that would unpickle what a shard holds
(`.pyd`) and run a command that a name holds (`pipe:`), and gives no place in the file, by which a photo is
read again. Nothing is unpacked, and a member's name is a name alone."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from resnet_edge.core.errors import DataError, first_line
from resnet_edge.data.folder import SUFFIXES
from resnet_edge.data.shards.keys import label_key
from resnet_edge.data.shards.record import Record

LONGEST_HEADER = 1 << 20
"""Bytes: a name takes some hundred, and what a header says of itself may be anything."""
LONGEST_LABEL = 1 << 16
AFTER = 1 << 20
"""Bytes of zeros behind the end that are looked at together."""
LABELS = ("cls", "json")
KEYS = ("label", "cls")
"""Of a .json, in this order."""


@dataclass
class _Sample:
    key: str
    files: dict[str, tarfile.TarInfo] = field(default_factory=dict)


def records(path: Path) -> Iterator[Record]:
    """Every sample of a shard. Raises DataError."""
    with path.open("rb") as file:
        for number, sample in enumerate(_samples(file, path)):
            yield _record(sample, file, f"{path}: record {number} ({sample.key})")


def _record(sample: _Sample, file: BinaryIO, title: str) -> Record:
    photos = [end for end in sample.files if f".{end}" in SUFFIXES]
    if len(photos) != 1:
        has = f"{len(photos)} photos (.{', .'.join(photos)})" if photos else "no photo"
        raise DataError(f"{title} has {has} among .{', .'.join(sample.files)}: a sample has one")
    member = sample.files[photos[0]]
    label = _label_of(sample, file, title)
    return Record(name=member.name, label=label, offset=member.offset_data, size=member.size)


def _label_of(sample: _Sample, file: BinaryIO, title: str) -> int | None:
    for end in LABELS:
        if end in sample.files and (label := _label(sample.files[end], file, f"{title}: .{end}")) is not None:
            return label
    label_key(sample.files, LABELS[:1], title)  # what is called a label, and is none of these, is an error
    return None


def _label(member: tarfile.TarInfo, file: BinaryIO, title: str) -> int | None:
    if member.size > LONGEST_LABEL:
        raise DataError(f"{title} has {member.size:,} bytes, and holds no label")
    text = os.pread(file.fileno(), member.size, member.offset_data).strip()
    if text.isdigit():
        text = text.lstrip(b"0") or b"0"  # no JSON, and what webdataset reads as a number
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = text.decode("utf-8", "backslashreplace").strip()
    if isinstance(value, dict):
        key = label_key(value, KEYS, title)
        if key is None or value[key] is None:
            return None
        value = value[key]
    if type(value) is not int:
        raise DataError(
            f"{title} holds {str(value)[:40]!r}, and a label is the number of a class: write it so"
        )
    return value


def _samples(file: BinaryIO, path: Path) -> Iterator[_Sample]:
    sample, seen = _Sample(""), set[str]()
    for member in _members(file, path):
        folder, _, name = member.name.rpartition("/")
        begin, _, end = name.partition(".")
        if not end or not begin or begin.startswith("__"):
            continue
        key, end = f"{folder}/{begin}".lstrip("/"), end.lower()
        if key != sample.key:
            if sample.files:
                yield sample
            if key in seen:
                raise DataError(f"{path} has two samples called {key}: give each a name of its own")
            seen.add(key)
            sample = _Sample(key)
        if end in sample.files:
            raise DataError(f"{path} has {member.name} twice: give each file a name of its own")
        sample.files[end] = member
    if sample.files:
        yield sample


def _members(file: BinaryIO, path: Path) -> Iterator[tarfile.TarInfo]:
    """Plain files, one by one: tarfile would keep all."""
    try:
        with tarfile.open(fileobj=_Headers(file), mode="r:") as archive:  # type: ignore[call-overload]  # what it asks of a file
            while (member := archive.next()) is not None:
                archive.members.clear()
                if not member.isdir():
                    _check(member, path)
                    yield member
            end = os.pread(file.fileno(), tarfile.BLOCKSIZE, archive.offset)
            follows = not any(end) and _follows(file, archive.offset)
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
        raise DataError(f"{path} is damaged ({first_line(error)}): copy it again") from error
    if len(end) < tarfile.BLOCKSIZE or any(end):
        how = "has no end: it is cut off" if not end else f"is damaged at byte {archive.offset:,}"
        raise DataError(f"{path} {how}; copy it again")
    if follows:
        raise DataError(
            f"{path} goes on behind its end at byte {archive.offset:,}, as where tars were joined by cat: "
            "give each as a shard of its own, or join them by tar --concatenate"
        )


def _follows(file: BinaryIO, at: int) -> bool:
    """Whether more than zeros come from there on: tarfile, as tar, would pass over them."""
    while block := os.pread(file.fileno(), AFTER, at):
        if any(block):
            return True
        at += len(block)
    return False


def _check(member: tarfile.TarInfo, path: Path) -> None:
    """Raises DataError for what no shard needs: nothing is unpacked, and whoever else unpacks it may come to
    harm."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise DataError(f"{path} holds {member.name}, a name that leads out of a folder: make the shard anew")
    if not member.isreg() or member.issparse():
        raise DataError(
            f"{path} holds {member.name}, which is a link, a device or a file with holes: make it anew"
        )


class _Headers:
    """The file as tarfile reads it, which skips what members hold: it reads headers alone, and these are
    short."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, lambda: None

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes at byte {self._file.tell():,}")
        return self._file.read(size)
