"""Runs in the parent. A folder that `convert` wrote, held against its own report."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from resnet_edge.bundle.converted_document import ConvertedDocument
from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.files.documents import converted_to
from resnet_edge.core.files.file_names import is_safe
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.label_names import LabelNames, label_names
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.stored_report import (
    REPORT,
    ReportedImages,
    StoredArtifact,
    data_there,
    report_in,
    reported,
)
from resnet_edge.data.class_names import class_names_in

WHAT, AGAIN = "report of `resnet-edge convert`", "convert the model again"


@dataclass(frozen=True, kw_only=True)
class Converted:
    """The artifacts of a folder, their proofs, and the model; `document` is report.json as it stands,
    `proved_on` the images of the proof, and `held_out` how many of `data` set the int8 ranges and are none of
    these; `notes` are sentences on what else stands in the folder."""

    folder: Path
    facts: ModelFacts
    labels: tuple[str, ...]
    data: str
    artifacts: tuple[Artifact, ...]
    proofs: tuple[Parity, ...]
    document: dict[str, Any]
    proved_on: ReportedImages
    held_out: int = 0
    notes: tuple[str, ...] = ()

    def unproved(self, artifact: Artifact) -> str | None:
        """Why an artifact is not proved, in a sentence; None where every proof of it passed."""
        rows = [row for row in self.proofs if row.artifact == artifact.file]
        if not rows:
            return f"{artifact.file} was not proved"
        missed = next((row for row in rows if row.verdict != "pass"), None)
        if missed is None:
            return None
        why = missed.reasons[0] if missed.reasons else missed.verdict
        return f"{artifact.file} did not pass on {missed.backend} {missed.device} ({why})"


def read_converted(folder: Path) -> Converted:
    """The folder, every file of which is what the report says. Raises DataError where it is none that
    `convert` wrote, ArtifactError where a file has changed since."""
    path = folder / REPORT
    if not path.is_file():
        raise DataError(f"{folder} holds no report.json: name a folder that `resnet-edge convert` wrote")
    converted = _converted(folder, path, report_in(path, WHAT, AGAIN))
    for artifact in converted.artifacts:
        _check(artifact)
    return converted


def data_of(folder: Path) -> str | None:
    """DATA of the proof, as the report names it from within its folder; None where it is not there any
    more."""
    return data_there(folder, reported(folder).inputs.get("data", ""))


def _converted(folder: Path, path: Path, document: dict[str, Any]) -> Converted:
    read = converted_to(ConvertedDocument, document, path, WHAT, AGAIN)
    known = {field.name for field in fields(Preprocessing)}
    how = {key: value for key, value in read.preprocessing.items() if key in known}
    facts = converted_to(ModelFacts, {**document["model"], "preprocessing": how}, path, WHAT, AGAIN)
    for name in (facts.name, *(artifact.file for artifact in read.artifacts)):
        if not is_safe(name):
            raise DataError(
                f"{path} names {name[:80]!r}, which is no name for a file in a folder: "
                "the report was changed; convert the model again"
            )
    artifacts = tuple(
        converted_to(StoredArtifact, {**entry, "path": ""}, path, WHAT, AGAIN).below(folder)
        for entry in document["artifacts"]
    )
    labels = () if facts.head.kind == "embedding" else class_names_in(folder / "labels.txt")
    if len(labels) != facts.classes:
        raise DataError(
            f"{folder / 'labels.txt'} names {len(labels)} classes, and the model has {facts.classes}: "
            "convert it again, with --labels"
        )
    check_apart(folder / "labels.txt", labels)
    changed = _changed(folder / "labels.txt", labels, read.labels)
    return Converted(
        folder=folder,
        facts=facts,
        labels=labels,
        data=read.data.source,
        artifacts=artifacts,
        proofs=read.parity,
        document=document,
        proved_on=converted_to(ReportedImages, document["data"], path, WHAT, AGAIN),
        held_out=reported(folder).held_out,
        notes=changed,
    )


def _changed(path: Path, labels: tuple[str, ...], written: LabelNames | None) -> tuple[str, ...]:
    """What is to be told of names that are not those that `convert` wrote. Raises DataError where they are
    the same ones in another order. A report without `written` does not know."""
    names = label_names(labels)
    if written is None or names == written:
        return ()
    if names.sorted_sha256 == written.sorted_sha256:
        raise DataError(
            f"{path} has the names that convert wrote in another order, and an app would show the wrong one "
            "for every answer: put them back in the order of the model's outputs, or convert again with "
            "--labels"
        )
    return (
        f"{path.name} was changed after convert wrote it: this bundle has the names of today, in the "
        "order of the model's outputs",
    )


def check_apart(path: Path, labels: tuple[str, ...]) -> None:
    """Raise DataError where two classes have one name, as "crane" in ImageNet: MediaPipe and ML Kit give an
    app nothing but the text."""
    first: dict[str, int] = {}
    for number, label in enumerate(labels, start=1):
        if first.setdefault(label, number) != number:
            raise DataError(
                f"{path}: classes {first[label]} and {number} are both called {label!r}, and apps could not "
                "tell them apart: change one of the two lines"
            )


def _check(artifact: Artifact) -> None:
    path = Path(artifact.path)
    if path.name != artifact.file or not path.is_file():
        raise ArtifactError(f"{path} is not there, and the report speaks of it: convert the model again")
    if sha256_of(path) != artifact.sha256:
        raise ArtifactError(f"{path} is not the file that was proved: its SHA-256 is another; convert again")
