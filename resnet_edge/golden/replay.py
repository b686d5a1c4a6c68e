"""Runs in the parent. Artifacts held against golden vectors on backends and devices of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from resnet_edge.benchmarking.task import ListOffers, Offers
from resnet_edge.core import registry
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.backend_name import placed, runtime_of, split_host
from resnet_edge.core.errors import (
    ArtifactError,
    DataError,
    DeviceUnavailable,
    HostUnavailable,
    MissingDependency,
    UsageError,
    WorkerFailed,
)
from resnet_edge.core.results.golden_vectors import GoldenArtifact, GoldenRow, GoldenVectors
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.golden.task import ReplayGoldenVectors, UnpackGoldenVectors
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, silent

NOT_RUN = (ArtifactError, DeviceUnavailable, HostUnavailable, MissingDependency, WorkerFailed)
"""What keeps one replay from running, and no other."""


@dataclass(frozen=True)
class GoldenReplay:
    """What a replay found. `left` names the artifacts of the file that were not given."""

    golden: str
    vectors: GoldenVectors
    rows: tuple[GoldenRow, ...]
    left: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Something was replayed, and all of it passed."""
        return bool(self.rows) and all(row.verdict == "pass" for row in self.rows)

    @property
    def failed(self) -> tuple[GoldenRow, ...]:
        """Where other outputs came out."""
        return tuple(row for row in self.rows if row.verdict == "fail")


@dataclass(frozen=True)
class _Matched:
    path: Path
    number: int
    artifact: GoldenArtifact


def replay(
    golden: Path,
    artifacts: Sequence[Path],
    places: tuple[str, ...],
    workers: WorkerPool,
    scratch: Path,
    on_progress: OnProgress,
    threads: int = 1,
) -> GoldenReplay:
    """Run `artifacts` on the golden images. `places` are `backend` or `backend:device`; none means, for each
    file, the backend that `convert` proves on, else, where that is not installed, the first that opens it.
    `scratch` is a folder for arrays. A file is known by its SHA-256, so that its name does not matter.

    Raises DataError where the file or the artifacts do not belong together, UsageError, UnknownName, and
    MissingDependency where no backend is installed. What a runtime does not open is a row that says so.
    """
    if not artifacts:
        raise UsageError(f"nothing is replayed of {golden}: name the artifacts that it was saved of")
    images = str(scratch / "golden_images.npy")
    reader = workers.worker("golden vectors", silent)
    vectors = reader.run(UnpackGoldenVectors(path=str(golden), images=images))
    reader.close()
    matched = [_match(path, golden, vectors) for path in artifacts]
    out = str(scratch / "golden_outputs.npy")
    task = ReplayGoldenVectors(
        golden=str(golden),
        artifact=0,
        path="",
        backend="",
        device="cpu",
        threads=threads,
        images=images,
        out=out,
    )
    team = _Team(workers=workers, on_progress=on_progress, task=task, n=len(vectors.rows))
    by_file = [team.places(file, places) for file in matched]
    rows = [row for file, each in zip(matched, by_file, strict=True) for row in team.rows(file, each)]
    given = {file.number for file in matched}
    left = tuple(a.file for number, a in enumerate(vectors.artifacts) if number not in given)
    return GoldenReplay(golden.name, vectors, tuple(rows), left)


def _match(path: Path, golden: Path, vectors: GoldenVectors) -> _Matched:
    if not path.is_file():
        raise ArtifactError(f"{path} is not there, or no file: name one that {golden.name} was saved of")
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): copy it again") from error
    for number, artifact in enumerate(vectors.artifacts):
        if artifact.sha256 == sha256:
            return _Matched(path, number, artifact)
    named = next((n for n, artifact in enumerate(vectors.artifacts) if artifact.file == path.name), None)
    known = ", ".join(artifact.file for artifact in vectors.artifacts)
    which = "the file of this name has another SHA-256 there" if named is not None else f"it has {known}"
    raise DataError(
        f"{path} is none of the files that {golden.name} was saved from ({which}): give the one that was, "
        "or save golden vectors of this one"
    )


@dataclass(kw_only=True)
class _Team:
    """A worker for each backend, as two runtimes in one process may be one too many. `task` is what all
    replays have in common, and `n` their number of images."""

    workers: WorkerPool
    on_progress: OnProgress
    task: ReplayGoldenVectors
    n: int
    members: dict[str, Worker] = field(default_factory=dict)
    offered: dict[str, Offers] = field(default_factory=dict)

    def places(self, file: _Matched, words: tuple[str, ...]) -> list[tuple[str, str]]:
        """Those named that open a file. Raises UsageError, UnknownName, MissingDependency."""
        format, places = file.artifact.format, list[tuple[str, str]]()
        for word in words:
            name, device = placed(word)
            offers = self._offers(name)
            if device not in offers.devices:
                known = ", ".join(offers.devices)
                raise UsageError(f"backend {name} has no device {device!r}; choose from: {known}")
            if format in offers.formats:
                places.append((name, device))
        if words and not places:
            raise UsageError(f"none of --backends {','.join(words)} opens {format}: add one that does")
        return places

    def rows(self, file: _Matched, places: Sequence[tuple[str, str]]) -> list[GoldenRow]:
        """One file on these places, or where it opens. Raises UsageError, MissingDependency."""
        if not places:
            return [self._where_it_opens(file)]
        return [self._row(file, name, device) for name, device in places]

    def _where_it_opens(self, file: _Matched) -> GoldenRow:
        first = FIRST_BACKEND.get(file.artifact.format, "")
        missing = refused = None
        for name in sorted(registry.names("backends"), key=lambda name: name != first):
            try:
                if file.artifact.format not in self._offers(name).formats:
                    continue
            except MissingDependency as error:
                missing = missing or error
                continue
            row = self._row(file, name, "cpu")
            if name == first or row.verdict != "not run":
                return row
            refused = refused or row
        if refused is not None:
            return refused
        raise missing or UsageError(f"no backend opens {file.artifact.format}: see `resnet-edge doctor`")

    def _offers(self, name: str) -> Offers:
        if name not in self.offered:
            self.offered[name] = self._worker(name).run(ListOffers(backend=runtime_of(name)))
        return self.offered[name]

    def _worker(self, name: str) -> Worker:
        if name not in self.members:
            self.members[name] = self.workers.worker(
                f"golden on {name}", self.on_progress, backends_grant([name]), split_host(name)[1]
            )
        return self.members[name]

    def _row(self, file: _Matched, backend: str, device: str) -> GoldenRow:
        """One replay; what keeps it from running is told."""
        task = replace(
            self.task,
            artifact=file.number,
            path=str(file.path),
            backend=runtime_of(backend),
            device=device,
        )
        try:
            return replace(self._worker(backend).run(task), backend=backend)
        except NOT_RUN as error:
            why = (str(error),)
            name = file.path.name
            return GoldenRow(
                artifact=name,
                backend=backend,
                device=device,
                n=self.n,
                max_abs=None,
                steps=None,
                same_top1=None,
                near_ties=0,
                allowed_max_abs=None,
                allowed_steps=None,
                verdict="not run",
                reasons=why,
            )
