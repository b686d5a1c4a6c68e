"""Whether what a folder lists is there to be read."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import DataError


def is_present(entry: Path) -> bool:
    """Whether an entry that is called a photo or a shard is a file; False for a folder. Raises DataError for
    a link to what is not there, as of data that was not fetched yet (git-annex, DVC), and for a pipe or a
    device: without a word there would be fewer images than the user has."""
    if entry.is_file():
        return True
    if entry.is_dir():
        return False
    if entry.is_symlink():
        raise DataError(
            f"{entry} is a link to {entry.readlink()}, which is not there: fetch it, or remove it"
        )
    raise DataError(f"{entry} is no file: remove it")
