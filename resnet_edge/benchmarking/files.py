"""Runs in the parent. The artifacts that a user names: files, and folders that `convert` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, DataError, UsageError
from resnet_edge.core.files.bundled import unbundled
from resnet_edge.core.results.stored_report import reported

KERAS = {"keras": "keras", "h5": "keras"}
"""The model itself, by suffix: no format that anything is converted to, but backends open it."""


@dataclass(frozen=True, kw_only=True)
class BenchFile:
    """`name` is what a report calls it; `scheme` None: its name does not tell. `brought`: nobody named it,
    a folder's report brought it along, so that it need not be timed. `in_folder`: a folder was named, and it
    is left out where no backend that was asked for opens it."""

    path: Path
    name: str
    format: str
    scheme: str | None
    brought: bool = False
    in_folder: bool = False

    @property
    def is_keras(self) -> bool:
        """It is a model, and no artifact: what it weighs holds more than a network."""
        return self.format in KERAS.values()


def bench_files(paths: tuple[Path, ...]) -> tuple[BenchFile, ...]:
    """Every artifact among `paths`, a folder's sorted by name; each once; and after them the Keras
    models that the reports of folders name, where these are still what they were.

    A name that two of them share is written with its folder. Raises UsageError where a path is not
    there, ArtifactError where a folder holds no artifact or a file is of no format that is known.
    """
    named = [file for path in paths for file in _of(path)]
    themselves = {path for path in paths if not path.is_dir()}
    models = [model for path in paths if path.is_dir() and (model := model_of(path)) is not None]
    files = list(dict.fromkeys([*named, *models]))
    names = [file.name for file in files]
    return tuple(
        BenchFile(
            path=file,
            name=file.name if names.count(file.name) == 1 else str(file),
            format=_formats()[_suffix(file)],
            scheme=_scheme(file),
            brought=file not in named,
            in_folder=file not in themselves,
        )
        for file in files
    )


def _of(path: Path) -> list[Path]:
    known = sorted(_formats())
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _suffix(file) in known and file.is_file())
        if not files:
            raise ArtifactError(f"{path} holds no artifact (.{', .'.join(known)}): name what `convert` wrote")
        return files
    if not path.exists():
        raise UsageError(f"{path} is not there: name artifacts, or a folder that `convert` wrote")
    if _suffix(path) not in known:
        raise ArtifactError(f"{path.name} is no artifact (.{', .'.join(known)}): convert the model first")
    if not path.is_file():
        raise ArtifactError(f"{path} is no file: name artifacts, or a folder that `convert` wrote")
    return [path]


def model_of(folder: Path) -> Path | None:
    """The model that the folder's report names, if it is a file and has not changed since."""
    report = reported(folder)
    if report.model is None:
        return None
    words = [report.model.source]  # from where it was converted, and from the folder, wherever that is now
    if "model" in report.inputs:
        words.append(str(folder / report.inputs["model"]))
    paths = filter(None, map(_file_of, dict.fromkeys(words)))
    return next((path for path in paths if sha256_of(path) == report.model.sha256), None)


def _file_of(word: str) -> Path | None:
    """The Keras file that a report names; None where there is none of that name."""
    try:
        path = Path(unbundled(word))
        return path if _suffix(path) in KERAS and path.is_file() else None
    except (OSError, ValueError, DataError):
        return None  # no name of ours: then nothing is known about a model


def _formats() -> dict[str, str]:
    """The format of each suffix."""
    return {**{name: name for name in registry.names("formats")}, **KERAS}


def _suffix(file: Path) -> str:
    return file.suffix[1:].lower()


def _scheme(file: Path) -> str | None:
    last = file.stem.rpartition(".")[2]
    return last if last in registry.names("schemes") else None
