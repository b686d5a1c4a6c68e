"""`resnet_edge.load_report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_edge.api.reports import BenchReport, By, best_of, extended, table_of
from resnet_edge.benchmarking.compare import read_bench
from resnet_edge.core.artifact import Artifact, TensorSpec
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Failure

REPORT = "report.json"


@dataclass(frozen=True, kw_only=True)
class StoredReport:
    """What `convert` or `verify` wrote, read again. `folder` is where the files of `artifacts` are;
    `document` is all of it, as JSON values."""

    folder: Path
    artifacts: tuple[Artifact, ...]
    parity: tuple[Parity, ...]
    latency: tuple[Latency, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    passed: bool
    document: dict[str, Any]

    def best(
        self,
        by: By = "latency",
        *,
        format: str | None = None,
        scheme: str | None = None,
        backend: str | None = None,
    ) -> Artifact:
        """As ConvertReport.best."""
        return best_of(
            [
                each
                for each in self.artifacts
                if format in (None, each.format) and scheme in (None, each.scheme)
            ],
            self.parity,
            [row for row in self.latency if backend in (None, row.backend)],
            by,
        )

    def to_dict(self) -> dict[str, Any]:
        """The document as it was read."""
        return self.document

    def _repr_html_(self) -> str:
        return table_of("Proved" if self.passed else "Not proved", self.artifacts, self.parity, self.latency)


def load_report(path: str | Path) -> StoredReport | BenchReport:
    """Read what `convert` left in a folder, or a document that `convert`, `verify` or `bench` printed with
    --json. Raises DataError where it is none."""
    file = Path(path)
    file = file / REPORT if file.is_dir() else file
    what, fix = "report", "name a folder that convert wrote, or what convert, verify or bench printed"
    document: dict[str, Any] = read_json(file, dict[str, Any], what, fix)
    if document.get("kind") == "bench":
        return extended(BenchReport, read_bench(file))
    found: _Document = read_json(file, _Document, what, fix)
    folder = file.parent
    return StoredReport(
        folder=folder,
        artifacts=tuple(_artifact(each, folder) for each in found.artifacts),
        parity=found.parity,
        latency=found.latency,
        failures=found.failures,
        notes=found.notes,
        passed=found.passed,
        document=document,
    )


@dataclass(frozen=True, kw_only=True)
class _Artifact:
    """As report.json tells of an Artifact: `file` in the folder of the report, or `path` where verify ran."""

    file: str
    format: str
    scheme: str
    size_bytes: int
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    converter: str = ""
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class _Document:
    artifacts: tuple[_Artifact, ...]
    parity: tuple[Parity, ...]
    passed: bool
    latency: tuple[Latency, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def _artifact(found: _Artifact, folder: Path) -> Artifact:
    """In `folder`, whatever its name says: a report may come from anywhere."""
    return Artifact(
        path=found.path or str(folder / Path(found.file).name),
        format=found.format,
        scheme=found.scheme,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        inputs=found.inputs,
        outputs=found.outputs,
        converter=found.converter,
    )
