"""`resnet_edge.load_report`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from resnet_edge.api.checked import checked
from resnet_edge.api.reports import BenchReport, SearchReport, WithBest, display_of, extended
from resnet_edge.benchmarking.compare import read_bench
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.documents import converted_to
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Failure
from resnet_edge.core.results.search import SearchResult
from resnet_edge.core.results.stored_report import REPORT, StoredArtifact, report_in
from resnet_edge.report.display import Display, Displayed
from resnet_edge.searching.request import SearchLimits


@dataclass(frozen=True, kw_only=True)
class StoredReport(Displayed, WithBest):
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

    def to_dict(self) -> dict[str, Any]:
        """The document as it was read."""
        return self.document

    def _display(self) -> Display:
        return display_of(
            "Proved" if self.passed else "Not proved", self.artifacts, self.parity, self.latency
        )


@checked
def load_report(path: str | Path) -> StoredReport | BenchReport | SearchReport:
    """Read what `convert` or `search` left in a folder, or a document that `convert`, `verify`, `bench` or
    `search` printed with --json. Raises UsageError, DataError where it is none."""
    file = Path(path)
    file = file / REPORT if file.is_dir() else file
    what, fix = (
        "report",
        "name a folder that convert or search wrote, or what convert, verify or bench printed",
    )
    document = report_in(file, what, fix)
    if document.get("kind") == "bench":
        return extended(BenchReport, read_bench(file))
    if document.get("kind") == "search":
        return _search(converted_to(SearchResult, document, file, what, fix), file, fix)
    contents = converted_to(_Document, document, file, what, fix)
    folder = file.parent
    return StoredReport(
        folder=folder,
        artifacts=tuple(each.below(folder) for each in contents.artifacts),
        parity=contents.parity,
        latency=contents.latency,
        failures=contents.failures,
        notes=contents.notes,
        passed=contents.passed,
        document=document,
    )


def _search(result: SearchResult, file: Path, fix: str) -> SearchReport:
    """Raises DataError where it says what no search can."""
    points = (result.model_point, *result.points)
    if any(point.size_bytes < 1 for point in points):
        raise DataError(f"{file} is no report (a file without a byte): {fix}")
    if any(point.p50_ms is not None and point.p50_ms <= 0 for point in points):
        raise DataError(f"{file} is no report (no latency above 0): {fix}")
    if unknown := result.limits.keys() - {field.name for field in fields(SearchLimits)}:
        raise DataError(f"{file} is no report (a limit called {min(unknown)!r}): {fix}")
    space = {name: tuple(map(_hashable, values)) for name, values in result.space.items()}
    return extended(SearchReport, replace(result, space=space), folder=file.parent)


def _hashable(value: Any) -> Any:
    """A value of a choice, of which JSON makes a list where it is a pair."""
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, kw_only=True)
class _Document:
    artifacts: tuple[StoredArtifact, ...]
    parity: tuple[Parity, ...]
    passed: bool
    latency: tuple[Latency, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
