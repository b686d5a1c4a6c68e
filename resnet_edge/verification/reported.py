"""Runs in the parent. What the reports of folders say of their files, and of how these were made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.benchmarking.files import model_of
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.head import HeadKind
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.stored_report import Reported, ReportedImages, data_there, reported


def hashes_reported(paths: tuple[Path, ...]) -> dict[Path, str]:
    """The SHA-256 that the report in each folder gives of each file beside it; nothing where there is
    none."""
    return {
        folder / name: sha256
        for folder in filter(Path.is_dir, paths)
        for name, sha256 in reported(folder).sha256.items()
    }


@dataclass(frozen=True, kw_only=True)
class ConvertedBy:
    """How `convert` made a folder, by the report in it: what `verify` takes where its user says nothing else.

    `reference` is the model, and `data` and `calibration` DATA words; None where they are not there, not what
    they were (the model), or not told. `model_sha256` and `preprocessing` belong together; the latter is None
    where the model does its own. `held_out`: how many of `data` set the int8 ranges, and are not among the
    `images` of the proof. `output`, `head` and `input_shape`: what was said of the model, as options.
    """

    folder: Path
    reference: str | None
    model_source: str
    model_sha256: str
    data: str | None
    calibration: str | None
    max_drop_pp: float | None
    preprocessing: Preprocessing | None
    images: ReportedImages | None
    held_out: int
    output: str | None
    head: HeadKind | None
    input_shape: tuple[int, int, int] | None


def converted_by(paths: tuple[Path, ...]) -> ConvertedBy | None:
    """Of the one folder that all artifacts are in; None where there are several, where it has no report, or
    where a file that is named is not one that this speaks of."""
    folders = {path if path.is_dir() else path.parent for path in paths}
    if len(folders) != 1:
        return None
    (folder,) = folders
    report = reported(folder)
    if report.model is None or not all(_is_spoken_of(path, report) for path in paths if not path.is_dir()):
        return None
    model = model_of(folder)
    return ConvertedBy(
        folder=folder,
        reference=None if model is None else str(model),
        model_source=report.model.source,
        model_sha256=report.model.sha256,
        data=data_there(folder, report.inputs.get("data", "")),
        calibration=data_there(folder, report.inputs.get("calibration", "")),
        max_drop_pp=report.max_drop_pp,
        preprocessing=_applied(report),
        images=report.data,
        held_out=report.held_out,
        output=report.inputs.get("output"),
        head=report.model.declared,
        input_shape=_shape(report.inputs.get("input_shape", "")),
    )


def _shape(word: str) -> tuple[int, int, int] | None:
    if re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5}){2}", word) is None:
        return None
    height, width, channels = map(int, word.split(","))
    return height, width, channels


def _is_spoken_of(path: Path, report: Reported) -> bool:
    known = report.sha256.get(path.name)
    return known is not None and path.is_file() and known == sha256_of(path)


def _applied(report: Reported) -> Preprocessing | None:
    how = report.preprocessing
    return None if how is None or how.where == "model" else how
