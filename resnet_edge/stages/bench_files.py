"""Runs in the parent. The artifacts that a user names: files, and folders that `convert` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, UsageError


@dataclass(frozen=True)
class BenchFile:
    """`name` is what a report calls it; `scheme` None: its name does not tell."""

    path: Path
    name: str
    format: str
    scheme: str | None


def bench_files(paths: tuple[Path, ...]) -> tuple[BenchFile, ...]:
    """Every artifact among `paths`, a folder's sorted by name; each once.

    A name that two of them share is told with its folder. Raises UsageError where a path is not
    there, ArtifactError where a folder holds no artifact or a file is of no format that is known.
    """
    found = list(dict.fromkeys(file for path in paths for file in _of(path)))
    names = [file.name for file in found]
    return tuple(
        BenchFile(
            file,
            file.name if names.count(file.name) == 1 else str(file),
            file.suffix[1:].lower(),
            _scheme(file),
        )
        for file in found
    )


def _of(path: Path) -> list[Path]:
    known = registry.names("formats")
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix[1:].lower() in known and file.is_file())
        if not found:
            raise ArtifactError(f"{path} holds no artifact (.{', .'.join(known)}): name what `convert` wrote")
        return found
    if not path.exists():
        raise UsageError(f"{path} is not there: name artifacts, or a folder that `convert` wrote")
    if path.suffix[1:].lower() not in known:
        raise ArtifactError(f"{path.name} is no artifact (.{', .'.join(known)}): convert the model first")
    return [path]


def _scheme(file: Path) -> str | None:
    last = file.stem.rpartition(".")[2]
    return last if last in registry.names("schemes") else None
