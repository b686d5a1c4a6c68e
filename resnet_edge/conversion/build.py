"""Runs in the parent. The artifacts of a conversion: calibrated, quantized, written, sent to their proofs."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from resnet_edge.calibrate.calibration_task import Calibrate, Calibration
from resnet_edge.conversion.artifact_task import QuantizeGraph, WriteArtifact
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.download_size import gzip_bytes
from resnet_edge.conversion.lint import Linting
from resnet_edge.conversion.mixed_precision_task import ChooseFloatLayers
from resnet_edge.conversion.notes import float_layers_note, shared_scale
from resnet_edge.conversion.run_log import Inputs, RunLog
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import UnsupportedScheme, WorkerFailed
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.sidecar import Lineage
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job
from resnet_edge.evaluation.scheduler import Evaluation, Scheduler
from resnet_edge.workers.pool import Worker


@dataclass(kw_only=True)
class Build:
    """Made by `worker`, from `inputs`, with the ranges of `calibrator`. `calibrated` is there once `make`
    has calibrated; `packed` holds the sizes of gzips by file."""

    request: ConvertRequest
    inputs: Inputs
    lineage: Lineage
    workspace: Workspace
    worker: Worker
    scheduler: Scheduler
    pool: Executor
    run_log: RunLog
    linting: Linting
    calibrator: Worker
    calibrated: Calibration | None = None
    packed: dict[str, Future[int]] = field(default_factory=dict)

    def make(self) -> list[Evaluation]:
        """Make every artifact, and start its proofs as soon as it is there; both in the plan's order."""
        plan, log = self.inputs.plan, self.run_log
        groups = plan.by_scheme()
        # What needs no ranges comes first: it is proved while they are being found.
        proofs = [p for s, jobs in groups.items() if not _calibrated(jobs) for p in self._evaluated(s, jobs)]
        if self.inputs.calibration is not None:
            self.calibrated = self._calibrate(self.inputs.calibration)
            if self.calibrated is not None:
                for note in shared_scale(self.calibrated.shared_scale):
                    log.note("dense layers", note)
            self.linting.start(self.calibrated)
        proofs += [p for s, jobs in groups.items() if _calibrated(jobs) for p in self._evaluated(s, jobs)]
        self.worker.close()
        order = [(job.format, job.scheme) for job in plan.jobs]
        log.artifacts.sort(key=lambda artifact: order.index((artifact.format, artifact.scheme)))
        return sorted(proofs, key=lambda proof: order.index((proof.job.format, proof.job.scheme)))

    def _evaluated(self, scheme: str, jobs: list[Job]) -> list[Evaluation]:
        """The artifacts of a scheme, and their proofs begun."""
        proofs: list[Evaluation] = []
        kept = self._float_layers(jobs[0])
        portable = None if kept is None else self._portable(scheme, _calibrated(jobs), kept)
        if portable is None or kept is None:
            return proofs
        for job in jobs:
            if artifact := self._artifact(portable, job, kept):
                self.run_log.artifacts.append(artifact)
                self.pack(artifact)
                proofs += [self.scheduler.start(artifact, job, p, self.inputs.images) for p in job.targets]
        return proofs

    def _float_layers(self, job: Job) -> tuple[str, ...] | None:
        """Those that the user leaves in float, by their outputs; None where it could not be found out."""
        steps, images = self.request.float_layers, self.inputs.calibration
        if not steps or not job.may_mix_precision or self.calibrated is None or images is None:
            return ()
        plan, folder = self.request.plan, str(self.workspace.scratch_folder(f"float layers {job.scheme}"))
        request = ChooseFloatLayers.of(
            *(self.calibrated, images.images, job.scheme, self.inputs.facts.head, folder),
            *(plan.io, plan.dense_scales),
        )
        choices = self.run_log.attempt(job.scheme, partial(self.worker.run, request))
        if choices is None:
            return None
        choice = choices.after(steps)
        self.run_log.note("float layers", float_layers_note(job.scheme, choice))
        return choice.float_layers

    def _portable(self, scheme: str, needs_calibration: bool, float_layers: tuple[str, ...]) -> str | None:
        """The portable graph under a scheme, which every format of it is made from."""
        calibrated = self.calibrated if needs_calibration else None
        if needs_calibration and calibrated is None:
            return None  # that the calibration failed is noted
        request = QuantizeGraph(
            float_portable=calibrated.portable if calibrated is not None else self.inputs.portable,
            scheme=scheme,
            ranges=calibrated.ranges if calibrated is not None else None,
            output=self.inputs.facts.output,
            io=self.request.plan.io,
            out=str(self.workspace.scratch / f"{scheme}.tflite"),
            integer_scores=self.request.plan.integer_scores,
            dense_scales=self.request.plan.dense_scales,
            float_layers=float_layers,
            exact=calibrated.exact if calibrated is not None and float_layers else None,
        )
        exported = self.run_log.attempt(scheme, partial(self.worker.run, request))
        if exported is None:
            return None
        self.run_log.notes += exported.notes
        return request.out

    def _calibrate(self, calibration: Images) -> Calibration | None:
        """The float graph that every scheme with integer activations starts from, and its ranges."""
        facts, learned = self.inputs.facts, self.inputs.learned
        request = Calibrate(
            portable=self.inputs.portable,
            images=calibration.images,
            takes_pixels=facts.preprocessing.takes_pixels,
            head=facts.head,
            threads=usable_cores(),
            folder=str(self.workspace.scratch_folder("calibrated")),
            calibrator=self.request.calibrator,
            repair=self.request.repair,
            fixed=None if learned is None else learned.ranges,
            dense_scales=self.request.plan.dense_scales,
            compare_dense_scales=True,
        )
        step = partial(self.calibrator.run, request)
        return self.run_log.attempt("calibration, and every artifact that needs it", step, WorkerFailed)

    def _artifact(self, portable: str, job: Job, float_layers: tuple[str, ...]) -> Artifact | None:
        name = self.inputs.facts.name
        out = self.workspace.folder / f"{name}.{job.scheme}{job.suffix}"
        plan = self.request.plan
        request = WriteArtifact(
            portable=portable,
            format=job.format,
            scheme=job.scheme,
            name=name,
            out=str(out),
            float_layers=float_layers,
            runtimes=plan.runtimes,
            channels_first=job.channels_first,
        )
        ask = partial(self.worker.run, request)

        def step() -> Artifact | None:
            try:
                return ask()
            except UnsupportedScheme as error:  # a runtime is too old for it
                if not plan.choose:
                    raise
                self.run_log.note(out.name, f"left out: {error}")
                return None

        artifact = self.run_log.attempt(out.name, step)
        if artifact is None:
            out.unlink(missing_ok=True)
        return artifact

    def pack(self, artifact: Artifact) -> None:
        """Find out what pruning to zeros is for, where the model was pruned or trained further."""
        if any(step.before is not None for step in self.lineage.steps):
            self.packed[artifact.file] = self.pool.submit(gzip_bytes, Path(artifact.path))


def _calibrated(jobs: list[Job]) -> bool:
    return jobs[0].needs_calibration
