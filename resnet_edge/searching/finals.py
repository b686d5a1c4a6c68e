"""Runs in the parent. What stayed, as a user gets it: a folder of each, converted and proved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.conversion.convert import convert as run_convert
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Verdict
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.search import NETWORKS, POINTS, Configuration
from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.core.tolerances import MAX_DROP_PP
from resnet_edge.models import ModelRequest
from resnet_edge.report import write_reports
from resnet_edge.searching.artifacts import SearchArtifact
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.point_inputs import InputFiles, PointInputs, inputs_of
from resnet_edge.searching.recipes import commands
from resnet_edge.searching.sizes import Size
from resnet_edge.searching.space import NATIVE
from resnet_edge.searching.standing import Baseline
from resnet_edge.searching.trials import Trials
from resnet_edge.workers.progress import Progress, silent

SECONDS = 4.0
"""Of timing for each file in the run that times all of them; `convert` takes 8 for all of its own."""


@dataclass(frozen=True, kw_only=True)
class Final:
    """A candidate as it was converted; `bits` are of the images that no trial saw."""

    outcome: Outcome
    folder: str
    artifact: Artifact
    download_bytes: int
    verdict: Verdict
    bits: int
    commands: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    samples_needed: int | None = None
    latency: Latency | None = None


class Finals:
    """Converts and measures what `trials` left."""

    def __init__(self, trials: Trials, workspace: Workspace, baseline: Baseline) -> None:
        self._trials, self._workspace, self._baseline = trials, workspace, baseline
        self._context, self.notes = trials.context, list[str]()
        self._files = InputFiles(folder=workspace.folder, out=workspace.out, networks=trials.networks)
        self._sizes: dict[str, Size | None] = {}

    def convert(self, stays: Sequence[Outcome]) -> list[Final]:
        """The fastest first. What fails its proof or cannot be made leaves, and `notes` say so. Raises
        OutputError."""
        finals = []
        for number, outcome in enumerate(sorted(stays, key=_by_cost), 1):
            self._context.on_progress(
                Progress(step="frontier", done=number - 1, total=len(stays), note=outcome.configuration.words)
            )
            if (final := self._final(number, outcome)) is not None:
                finals.append(final)
        self._context.on_progress(Progress(step="frontier", done=len(stays), total=len(stays)))
        return finals

    def remove(self, folder: str) -> None:
        """One that is not on the frontier after all."""
        for room in (POINTS, NETWORKS):
            shutil.rmtree(self._workspace.folder / room / Path(folder).name, ignore_errors=True)
        self._sizes.pop(folder, None)
        self._files.keep({size for size in self._sizes.values() if size is not None})

    def model(self) -> Final:
        """The model's own fp32 file."""
        file = self._baseline.file
        return Final(
            outcome=Outcome(number=-1, configuration=NATIVE, state="complete"),
            folder="",
            artifact=file.artifact,
            download_bytes=file.download_bytes,
            verdict="pass",
            bits=self._unseen(file),
            commands=self._lines(NATIVE, inputs_of(self._context.request)),
        )

    def _lines(
        self, configuration: Configuration, inputs: PointInputs, network: str | None = None
    ) -> tuple[str, ...]:
        job, preprocessing = self._context.jobs[configuration.scheme], self._context.facts.preprocessing
        outside = preprocessing.name if preprocessing.where == "graph" else None
        return commands(configuration, self._context.request, inputs, job.format, network, outside)

    def _unseen(self, file: SearchArtifact) -> int:
        """The images that no trial saw on which it is right, as bits."""
        answers = self._trials.answers(file, self._context.images.n)
        return int(answers.right, 16) >> self._context.searched_on

    def _final(self, number: int, outcome: Outcome) -> Final | None:
        folder = Path(POINTS) / f"{number:02d}"
        self._sizes[str(folder)] = outcome.configuration.input_size
        try:
            report, lines = self._converted(folder, outcome)
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self._gone(folder, outcome, str(error))
            return None
        row = report.parity[0] if report.parity else None
        if row is None or row.verdict == "fail":
            why = row.reasons[0] if row else next((f.message for f in report.failures), "it was not proved")
            self._gone(folder, outcome, why)
            return None
        artifact = report.artifacts[0]
        artifact = replace(artifact, path=str(self._workspace.folder / folder / artifact.file))
        file = self._trials.file_of(outcome)
        same = replace(file, artifact=artifact) if file.artifact.sha256 != artifact.sha256 else file
        return Final(
            outcome=outcome,
            folder=str(folder),
            artifact=artifact,
            download_bytes=file.download_bytes,
            verdict=row.verdict,
            bits=self._unseen(same),
            commands=lines,
            inputs=self._files.listed(outcome.configuration.input_size),
            reasons=() if row.verdict == "pass" else row.reasons,
            samples_needed=row.samples_needed,
        )

    def _gone(self, folder: Path, outcome: Outcome, why: str) -> None:
        self.remove(str(folder))
        self.notes.append(f"trial {outcome.number} ({outcome.configuration.words}) left at the end: {why}")

    def _converted(self, folder: Path, outcome: Outcome) -> tuple[Report, tuple[str, ...]]:
        """The folder of a point, as `convert` leaves it, and the command lines that lead to it."""
        request, context = self._context.request, self._context
        configuration, files = outcome.configuration, self._files
        at = context.at(configuration.input_size)
        inputs = files.of(configuration, at, request, context.facts.name)
        model = self._network(folder, outcome, inputs)
        network = None if configuration.input_size is None else files.final(model.source)
        lines = self._lines(configuration, files.named(inputs), network)
        job = context.jobs[configuration.scheme]
        wanted = ConvertRequest(
            model=model,
            data=inputs.data,
            calibration=inputs.calibration,
            plan=PlanArtifacts(
                formats=(job.format,),
                schemes=(configuration.scheme,),
                backends=(request.backend,),
                io="float32",
            ),
            max_drop_pp=MAX_DROP_PP,
            threads=request.threads,
            latency_seconds=SECONDS,
            calibrator=configuration.calibrator,  # type: ignore[arg-type]  # held where the space was read
            repair=configuration.repair,  # type: ignore[arg-type]  # the same
            mixed_precision=False,
            float_layers=configuration.float_layers,
            accept_reference=request.accept_reference,
            cluster=request.cluster,
            command=lines[-1],
            source_name=request.source_name if model == request.model else model.source,
        )
        out = self._workspace.folder / folder
        out.parent.mkdir(exist_ok=True)
        with Workspace(out, writer="convert") as workspace:
            report = run_convert(wanted, workspace, silent)
            report = replace(report, inputs=self._inputs(folder, model, inputs))
            write_reports(report, workspace.folder)
            workspace.publish()
        return report, lines

    def _network(self, folder: Path, outcome: Outcome, inputs: PointInputs) -> ModelRequest:
        """The model of a point: where it was changed a file of its own, with what was done to it beside."""
        configuration, request = outcome.configuration, self._context.request
        network = self._trials.networks.tuned(configuration)
        source = Path(network.model.source)
        if network.model.source == request.model.source:
            return request.model
        if network.model.source == self._context.at(configuration.input_size).model.source:
            return replace(network.model, source=inputs.model)
        to = self._workspace.folder / NETWORKS / folder.name / f"{self._context.facts.name}.keras"
        try:
            to.parent.mkdir(parents=True)
            shutil.copyfile(source, to)
            if sidecar_path(source).is_file():
                shutil.copyfile(sidecar_path(source), sidecar_path(to))
        except OSError as error:
            raise OutputError(
                f"{to.name} cannot be written ({error.strerror}): choose another --out"
            ) from error
        return replace(network.model, source=str(to))

    def _inputs(self, folder: Path, model: ModelRequest, inputs: PointInputs) -> dict[str, str]:
        """Where its report finds them: from the folder's final place."""
        words = {"model": model.source, "data": inputs.data, "calibration": inputs.calibration}
        out = self._workspace.out / folder
        return {
            name: os.path.relpath(self._files.final(word), out) if Path(word).exists() else word
            for name, word in words.items()
            if word is not None
        }


def _by_cost(outcome: Outcome) -> tuple[float, int, int]:
    return outcome.latency_ratio or 0.0, outcome.size_bytes or 0, outcome.number
