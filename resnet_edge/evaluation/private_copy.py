"""Runs in a worker. A copy of a file that is run in its place, so that what is hashed is what is run.

A path can lead elsewhere a moment later: through a symbolic link, or because somebody writes. The copy is a
file of the run alone, its hash is that of the bytes that went into it, and nothing reads the path again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from resnet_edge.core.errors import ArtifactError, OutputError
from resnet_edge.core.files.pipes import check_no_pipe

if TYPE_CHECKING:
    from hashlib import _Hash

BLOCK = 1 << 20


@dataclass(frozen=True)
class PrivateCopy:
    """The copy at `path`; `beside`: the files of the user that hold its weights (ONNX calls them external
    data), copied with it; `sha256` and `size_bytes` of all of them (core.artifact.sha256_of)."""

    path: Path
    beside: tuple[Path, ...]
    sha256: str
    size_bytes: int


def private_copy(path: Path, format: str, folder: Path) -> PrivateCopy:
    """Copy a file, and what it names beside it, into the new `folder`. Raises ArtifactError, OutputError."""
    copy, digest = folder / path.name, hashlib.sha256()
    size = _copied(path, copy, digest)
    beside = []
    for name in _weights_beside(copy, path) if format == "onnx" else ():
        theirs = path.parent / name
        if theirs.is_file():  # else the runtime says what is missing
            size += _copied(theirs, folder / name, digest)
            beside.append(theirs)
    return PrivateCopy(copy, tuple(beside), digest.hexdigest(), size)


def _copied(source: Path, copy: Path, digest: _Hash) -> int:
    try:
        check_no_pipe(source)
        stream = source.open("rb")
    except OSError as error:
        raise ArtifactError(f"{source} cannot be read ({error.strerror}): name another") from error
    with stream:
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            size, free = os.fstat(stream.fileno()).st_size, shutil.disk_usage(copy.parent).free
            if size > free:  # a file with holes in it says that it has any size
                raise OutputError(
                    f"{source} has {size:,} bytes, and there are {free:,} free in {copy.parent}, where it is "
                    "copied to: make room, or set TMPDIR"
                )
            with copy.open("xb") as out:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    out.write(block)
                return out.tell()
        except OSError as error:
            raise OutputError(
                f"{source} cannot be copied to {copy.parent} ({error.strerror}): make room, or set TMPDIR"
            ) from error


def _weights_beside(copy: Path, named: Path) -> tuple[str, ...]:
    """The names of the files that hold weights of an ONNX file, in order. One outside of its folder could not
    be copied to where a runtime would look."""
    import onnx

    from resnet_edge.graph.external_data import external_files

    try:
        model = onnx.load(str(copy), load_external_data=False)
    except Exception:  # protobuf's and onnx's: who reads the file next tells them as ArtifactError
        return ()
    names = external_files(model)
    for name in names:
        if name == copy.name:
            raise ArtifactError(f"{named} says that its weights are in itself: export it again")
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ArtifactError(
                f"{named} has weights in {name}, outside of its folder: put them beside it, with "
                "onnx.save(model, path, save_as_external_data=True)"
            )
    return tuple(sorted(names))
