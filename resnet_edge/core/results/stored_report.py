"""report.json, read again: its name stands here, and every command that reads one goes through here.

A command that works on a report (`package`, `load_report`) calls `report_in`, which refuses what is none.
A command that only finds one beside files takes `reported`, which leaves out what is not of our form: a
folder without a report, or with one that is not ours, says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import realpath
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from resnet_edge.core.artifact import Artifact, TensorSpec
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.bundled import DATA, unbundled
from resnet_edge.core.files.documents import object_in, read_json
from resnet_edge.core.head import HeadKind
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.parity import Parity

T = TypeVar("T")

REPORT = "report.json"


def report_in(file: Path, what: str, fix: str) -> dict[str, Any]:
    """The document in `file`, to which `documents.converted_to` gives types. Raises DataError, in one line:
    the file is no `what`, and `fix` is the way out."""
    document: dict[str, Any] = read_json(file, dict[str, Any], what, fix)
    return document


@dataclass(frozen=True, kw_only=True)
class StoredArtifact:
    """As a report tells of an Artifact: `file` in the folder of the report, or `path` where `verify` ran."""

    file: str
    format: str
    scheme: str
    size_bytes: int
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    converter: str = ""
    path: str = ""

    def below(self, folder: Path) -> Artifact:
        """The artifact in `folder`, whatever its name says: a report may come from anywhere."""
        return Artifact(
            path=self.path or str(folder / Path(self.file).name),
            format=self.format,
            scheme=self.scheme,
            size_bytes=self.size_bytes,
            sha256=self.sha256,
            inputs=self.inputs,
            outputs=self.outputs,
            converter=self.converter,
        )


@dataclass(frozen=True)
class ReportedFile:
    """An artifact beside the report."""

    file: str
    sha256: str = ""


@dataclass(frozen=True)
class ReportedPoint:
    """A point of a search, whose files are in a folder of their own."""

    folder: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportedModel:
    """The model that was converted; `declared`: what the user, or its sidecar, said that its outputs are."""

    source: str
    sha256: str
    declared: HeadKind | None = None


@dataclass(frozen=True)
class ReportedImages:
    """The images of the proof, or those of calibration, as they were when they were prepared."""

    n: int
    sha256: str
    source: str = ""

    def compared(self, n: int, sha256: str, *, same_data: bool) -> str:
        """How `n` images stand to these, of the proof of `convert`, in words; `same_data`: both are of one
        DATA."""
        if sha256 == self.sha256:
            return "the same on which `convert` proved"
        if same_data and n < self.n:
            return f"of the {self.n:,} on which `convert` proved"
        return f"others than the {self.n:,} on which `convert` proved"


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What a report says of the files beside it; None where it is not of our form. `inputs` are the words for
    MODEL (`model`) and DATA (`data`, `calibration`) as they read from within its folder, and what the user
    said of the model (`output`, `input_shape`)."""

    schema: int | None
    files: tuple[ReportedFile, ...] | None
    model: ReportedModel | None
    proofs: tuple[Parity, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    max_drop_pp: float | None = None
    preprocessing: Preprocessing | None = None
    data: ReportedImages | None = None
    calibration: ReportedImages | None = None

    @property
    def held_out(self) -> int:
        """How many images of the data set the int8 ranges, and were left out of the proof for that."""
        images, proof = self.calibration, self.data
        if images is None or proof is None or "calibration" in self.inputs or images.source != proof.source:
            return 0
        return images.n

    @property
    def sha256(self) -> Mapping[str, str]:
        """By the name of a file; empty where one of them is without."""
        digests = {each.file: each.sha256 for each in self.files or ()}
        return digests if all(digests.values()) else {}


def reported(folder: Path) -> Reported:
    """What the report in `folder` says; what is wrong with one part does not take the others away."""
    document = object_in(folder / REPORT)
    return Reported(
        schema=_part(document, "schema", int),
        files=_part(document, "artifacts", tuple[ReportedFile, ...]),
        model=_part(document, "model", ReportedModel),
        proofs=_part(document, "parity", tuple[Parity, ...]) or (),
        inputs=_part(document, "inputs", dict[str, str]) or {},
        max_drop_pp=_part(document, "max_drop_pp", float),
        preprocessing=_part(document, "preprocessing", Preprocessing),
        data=_part(document, "data", ReportedImages),
        calibration=_part(document, "calibration", ReportedImages),
    )


def reported_points(folder: Path) -> tuple[str, ...]:
    """The folders, below `folder`, of the points of the search whose report stands in it; none where it is no
    search's."""
    document = object_in(folder / REPORT)
    points = _part(document, "points", tuple[ReportedPoint, ...])
    if document.get("kind") != "search" or points is None:
        return ()
    inside = (Path(point.folder) for point in points)
    return tuple(point.as_posix() for point in inside if not point.is_absolute() and ".." not in point.parts)


def reported_inputs(folder: Path) -> tuple[str, ...]:
    """The files, below `folder`, that the search whose report stands in it wrote for points of other input
    sizes."""
    points = _part(object_in(folder / REPORT), "points", tuple[ReportedPoint, ...]) or ()
    inside = {Path(file) for point in points for file in point.inputs}
    return tuple(
        sorted(file.as_posix() for file in inside if not file.is_absolute() and ".." not in file.parts)
    )


def data_there(folder: Path, word: str) -> str | None:
    """A word for DATA of the report in `folder` as it reads from here; None where what it names is not there
    any more, or nothing is named."""
    name, colon, path = word.partition(":") if word.startswith(f"{DATA}:") else ("", "", word)
    if not word or word == DATA:
        return word or None
    try:
        there = folder / unbundled(path)
        return f"{name}{colon}{there}" if there.exists() else None
    except (OSError, ValueError, DataError):
        return None  # no name of ours


def same_data(word: str | None, other: str | None) -> bool:
    """Whether both words for DATA name the same images, by whatever path."""
    return None not in (word, other) and realpath(str(word)) == realpath(str(other))


def _part(document: dict[str, Any], key: str, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(document[key], kind)
    except (KeyError, msgspec.ValidationError):
        return None
