"""What the commands give: typed values, what --json prints of them, and how a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from resnet_edge.api import outcome
from resnet_edge.api.checked import AtLeast0, checked
from resnet_edge.api.search_point import write_point
from resnet_edge.benchmarking.compare import RunComparison, compared
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.results.bench import Bench
from resnet_edge.core.results.bundle import Bundle
from resnet_edge.core.results.examination import Examination
from resnet_edge.core.results.host import HostPreparation, HostRemoval, HostState
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.resize_check import ResizeCheck
from resnet_edge.core.results.search import FRONTIER, FrontierPoint, SearchResult
from resnet_edge.core.results.verification import Verification
from resnet_edge.golden.replay import GoldenReplay
from resnet_edge.report import host_words, words
from resnet_edge.report.bench_words import answer
from resnet_edge.report.bundle.bundle_summary import bundle_summary
from resnet_edge.report.bundle.texts import bundle_document
from resnet_edge.report.contract import document
from resnet_edge.report.display import Display, Displayed
from resnet_edge.report.doubted import doubted
from resnet_edge.report.html.notebook import Cells
from resnet_edge.report.resize_words import resize_document
from resnet_edge.report.search_json import search_json
from resnet_edge.report.search_sections import conclusion
from resnet_edge.report.search_words import figures_of
from resnet_edge.report.step_figures import step_figures
from resnet_edge.report.summary import verdict
from resnet_edge.report.verification import verification_document
from resnet_edge.searching.pick import pick_rule, picked
from resnet_edge.training.recipe import Compressed, TrainResult

T = TypeVar("T")
By = Literal["latency", "size"]


def extended(kind: type[T], result: Any, **more: Any) -> T:
    """`result` as a `kind`, which has all its fields and `more`."""
    return kind(**{field.name: getattr(result, field.name) for field in fields(result)}, **more)


class WithBest:
    """Artifacts, what was proved and what was timed of them."""

    artifacts: tuple[Artifact, ...]
    parity: tuple[Parity, ...]
    latency: tuple[Latency, ...]

    @checked
    def best(
        self,
        by: By = "latency",
        *,
        format: str | None = None,
        scheme: str | None = None,
        backend: str | None = None,
    ) -> Artifact:
        """The artifact to ship: of those that passed every proof, the one with the lowest median latency, or
        the smallest. Of a `format`, a `scheme`, or as timed on a `backend`. Raises ArtifactError where there
        is none."""
        timed_on = sorted({row.backend for row in self.latency})
        if backend is not None and by == "latency" and timed_on and backend not in timed_on:
            raise ArtifactError(
                f"there is no best artifact: none was timed on {backend!r}, but on {', '.join(timed_on)}"
            )
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


@dataclass(frozen=True, kw_only=True)
class ConvertReport(Displayed, WithBest, Report):
    """What `convert` found. `folder` holds the files, whose paths are those of `artifacts`; it is `out`, or
    `out` with `.partial` where something could not be done."""

    folder: Path

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.proof_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.convert_trouble(self, self.folder)

    def to_dict(self) -> dict[str, Any]:
        """The document of report.json, as JSON values."""
        return document(self)

    def _display(self) -> Display:
        title = f"{self.model.name}: {'proved' if self.passed else 'not proved'}"
        conclusion = verdict(self)
        sentences = (
            f"{conclusion.word.upper()}. {conclusion.sentence}",
            f"report: {self.folder / 'report.html'}",
        )
        return display_of(title, self.artifacts, self.parity, self.latency, sentences)


def best_of(
    artifacts: Iterable[Artifact], parity: Iterable[Parity], latency: Iterable[Latency], by: By
) -> Artifact:
    """See WithBest.best."""
    verdicts: dict[str, set[str]] = {}
    for row in parity:
        verdicts.setdefault(row.artifact, set()).add(row.verdict)
    wanted = list(artifacts)
    if not wanted:
        raise ArtifactError("there is no best artifact: none is of this format and scheme")
    proved = [each for each in wanted if verdicts.get(each.file) == {"pass"}]
    if by == "size":
        ranked = {each.file: float(each.size_bytes) for each in proved}
    else:
        ranked = {}
        for timed in latency:
            ranked[timed.artifact] = min(timed.p50_ms, ranked.get(timed.artifact, timed.p50_ms))
    chosen = [each for each in proved if each.file in ranked]
    if not chosen:
        why = (
            "none was timed: convert with latency_seconds above 0, or ask by='size'"
            if proved
            else ("none of them passed every proof: `parity` says why")
        )
        raise ArtifactError(f"there is no best artifact: {why}")
    return min(chosen, key=lambda each: (ranked[each.file], each.file))


def display_of(
    title: str,
    artifacts: Iterable[Artifact],
    parity: Iterable[Parity],
    latency: Iterable[Latency],
    sentences: Iterable[str] = (),
) -> Display:
    """A row for each artifact on each backend."""
    timed = {(row.artifact, row.backend): row.p50_ms for row in latency}
    sizes = {each.file: each.size_bytes for each in artifacts}
    rows: list[Cells] = [("Artifact", "Backend", "Size", "Agreement", "Drop, pp", "p50, ms", "Verdict")]
    for row in parity:
        size, p50 = sizes.get(row.artifact), timed.get((row.artifact, row.backend))
        rows.append(
            (
                row.artifact,
                f"{row.backend} {row.device}",
                "" if size is None else f"{size:,}",
                "" if row.agreement is None else f"{100 * row.agreement:.2f} %",
                "" if row.drop_pp is None else f"{row.drop_pp:.2f}",
                "" if p50 is None else f"{p50:.3g}",
                row.verdict,
            )
        )
    return Display(title, rows, sentences)


@dataclass(frozen=True, kw_only=True)
class VerifyReport(Displayed, Verification):
    """What `verify` found."""

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.proof_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.verify_trouble(self)

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return verification_document(self)

    def _display(self) -> Display:
        title = f"{'Verified' if self.passed else 'Not verified'} against {self.reference['name']}"
        return display_of(title, self.artifacts, self.parity, (), (self.trouble or "",))


@dataclass(frozen=True, kw_only=True)
class BenchReport(Displayed, Bench):
    """What `bench` found."""

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.bench_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.bench_trouble(self)

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def compared_with(self, before: Bench) -> RunComparison:
        """What changed since an earlier run, row by row: what `bench --compare` tells."""
        return compared(before, self)

    def _display(self) -> Display:
        rows: list[Cells] = [("Artifact", "Backend", "p50, ms", "95 %", "Against the fastest", "Verdict")]
        rows += [
            (
                row.artifact,
                f"{row.backend} {row.device}",
                f"{row.p50_ms:.3g}",
                f"{row.p50_ci95_ms[0]:.3g} to {row.p50_ci95_ms[1]:.3g}",
                f"{row.times_fastest:.2f}x",
                row.verdict,
            )
            for row in sorted(self.rows, key=lambda row: row.p50_ms)
        ]
        return Display("Latency", rows, answer(self))


@dataclass(frozen=True)
class GoldenReport(Displayed, GoldenReplay):
    """What `verify_golden` found."""

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.golden_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.golden_trouble(self)

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        vectors = self.vectors
        return {
            "schema": 1,
            "golden": self.golden,
            "model": {"name": vectors.model, "sha256": vectors.model_sha256},
            "data": {"source": vectors.data, "sha256": vectors.data_sha256},
            "saved_with": {
                "resnet_edge": vectors.resnet_edge,
                "machine": vectors.machine,
                **vectors.versions,
            },
            "images": len(vectors.rows),
            "rows": [asdict(row) for row in self.rows],
            "left": list(self.left),
            "passed": self.passed,
        }

    def _display(self) -> Display:
        rows: list[Cells] = [("Artifact", "Backend", "Images", "Same top-1", "Verdict")]
        rows += [
            (
                row.artifact,
                f"{row.backend} {row.device}",
                f"{row.n:,}",
                "" if row.same_top1 is None else f"{row.same_top1:,}",
                row.verdict,
            )
            for row in self.rows
        ]
        return Display(f"Golden vectors of {self.vectors.model}", rows, (self.trouble or "",))


@dataclass(frozen=True, kw_only=True)
class PackageReport(Displayed, Bundle):
    """The bundle that `package` made in `folder`, by `command`."""

    folder: Path
    command: str

    @property
    def passed(self) -> bool:
        """No runtime gives other answers than the artifact, and none that was named was out of reach."""
        return not (self.failed or self.failures)

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.bundle_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.bundle_trouble(self, self.folder)

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return bundle_document(self, self.command, self.folder)

    def _display(self) -> Display:
        rows: list[Cells] = [("File", "Runtime", "Status", "Same top-1")]
        rows += [
            (each.file, each.backend, each.status, f"{each.same_top1:,} of {each.n:,}")
            for each in self.proofs
        ]
        return Display(f"Bundle of {self.facts.name}", rows, bundle_summary(self, self.folder))


@dataclass(frozen=True, kw_only=True)
class InspectReport(Displayed, Inspection):
    """What `inspect` found; `resize` where photos were given."""

    resize: ResizeCheck | None = None

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        body = as_json(self)
        del body["resize"]
        return body if self.resize is None else {**body, "resize": resize_document(self.resize)}

    def _display(self) -> Display:
        ends = [("input", each) for each in self.inputs] + [("output", each) for each in self.outputs]
        rows: list[Cells] = [("", "Name", "Shape", "Type")]
        rows += [(end, each.name, " x ".join(map(str, each.shape)), each.dtype) for end, each in ends]
        return Display(f"{self.file}, {self.size_bytes:,} bytes", rows)


@dataclass(frozen=True, kw_only=True)
class DoctorReport(Displayed, Examination):
    """What `doctor` found. `exit_code` is that of the command."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def _display(self) -> Display:
        rows: list[Cells] = [("Backend", "Version", "Device", "Status", "")]
        rows += [
            (each.backend, each.version, state.device, state.status, state.detail)
            for each in self.backends
            for state in each.devices
        ]
        return Display(f"{self.machine['cpu']}, {self.machine['usable_cores']} cores", rows)


@dataclass(frozen=True, kw_only=True)
class SearchReport(Displayed, SearchResult):
    """What `search` found, in `folder`: frontier.html, report.json, and a folder for each point."""

    folder: Path

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return outcome.search_code(self)

    @property
    def trouble(self) -> str | None:
        """One line where not all is well."""
        return outcome.search_trouble(self)

    @property
    def frontier(self) -> tuple[FrontierPoint, ...]:
        """The points, the most accurate first."""
        return tuple(sorted(self.points, key=lambda point: (point.drop_pp, point.size_bytes, point.number)))

    @checked
    def point(self, number: AtLeast0) -> FrontierPoint:
        """The point of that number. Raises UsageError."""
        known = {point.number: point for point in self.points}
        if number not in known:
            raise UsageError(
                f"no point has the number {number}; those of this search: {', '.join(map(str, known))}"
            )
        return known[number]

    @checked
    def pick(self, rule: str) -> FrontierPoint:
        """The best point by a rule such as "drop<=0.5,latency<=3ms,size": limits, and what to be best in,
        judged by the ends of the 95 % intervals that speak against a point. Raises UsageError, UnknownName,
        OutOfReach with the nearest point."""
        return picked(pick_rule(rule), self.points)

    @checked
    def write(self, point: AtLeast0 | str, out: str | Path = "dist", *, overwrite: bool = False) -> Path:
        """Make a folder as `convert` leaves it, which `package` takes, of a point by its number or by a rule
        of `pick`. Raises as `pick`, and DataError, OutputError."""
        chosen = self.pick(point) if isinstance(point, str) else self.point(point)
        return write_point(self.folder, chosen, Path(out), overwrite=overwrite)

    def open_study(self) -> Any:
        """The Optuna study of all trials, an optuna.Study. Raises MissingDependency, DataError."""
        from resnet_edge.api.study import open_study

        return open_study(self.folder / self.study)

    def to_dict(self) -> dict[str, Any]:
        """The document of report.json, as JSON values."""
        return search_json(self)

    def _display(self) -> Display:
        rows: list[Cells] = [("Point", "Recipe", "Drop, pp", "p50, ms", "Size", "Verdict")]
        rows += [
            (
                f"{point.number}{' (knee)' if point.knee else ''}",
                point.configuration.words,
                " ".join(words.estimate(point.drop_pp, point.drop_ci95_pp, words.points)).strip(),
                words.milliseconds(point.p50_ms),
                words.size(point.size_bytes),
                point.verdict,
            )
            for point in self.frontier
        ]
        sentences = (
            *doubted(self.doubts),
            figures_of(self),
            conclusion(self),
            f"report: {self.folder / FRONTIER}",
        )
        return Display(f"Frontier of {self.model.name}", rows, sentences)


@dataclass(frozen=True)
class TrainReport(Displayed, TrainResult):
    """What `train` made: where the model is and how good. `validation_top1` is a fraction (None: nothing held
    out)."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def _display(self) -> Display:
        return Display("Trained", [("Model",), (self.sentence(),)])


@dataclass(frozen=True)
class CompressionReport(Displayed, Compressed):
    """What `prune` and `qat` made: the file, what was done, and what should be said of it."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def _display(self) -> Display:
        return Display(f"{self.file}: {self.step.title}", step_figures(self.step), self.notes)


@dataclass(frozen=True, kw_only=True)
class HostPrepareReport(Displayed, HostPreparation):
    """What `host prepare` did."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def _display(self) -> Display:
        return Display(f"Host {self.host}", [("",), *((line,) for line in host_words.preparation(self))])


@dataclass(frozen=True, kw_only=True)
class HostShowReport(Displayed, HostState):
    """What `host show` found."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        body = as_json(self)
        return {**body, "kept": sorted(body["kept"])}

    def _display(self) -> Display:
        return Display(f"Host {self.host}", [("",), *((line,) for line in host_words.state(self))])


@dataclass(frozen=True, kw_only=True)
class HostRemoveReport(Displayed, HostRemoval):
    """What `host remove` did."""

    def to_dict(self) -> dict[str, Any]:
        """The document that --json prints, as JSON values."""
        return as_json(self)

    def _display(self) -> Display:
        return Display(f"Host {self.host}", [("",), (host_words.removal(self),)])


def as_json(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON values."""
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(value)
    return values
