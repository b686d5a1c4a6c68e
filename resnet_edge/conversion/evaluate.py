"""Runs in the parent. From the outputs of proofs to what the report says of the artifacts."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from resnet_edge.conversion.build import Build
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.mixed_precision import MixedPrecisionSetup, missed, mix_precision
from resnet_edge.conversion.notes import mixed_precision_note, poor_reference, same_numbers
from resnet_edge.conversion.run_log import Inputs, RunLog
from resnet_edge.core.errors import OutputError, ResnetEdgeError, WorkerFailed
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.core.results.mixed_precision import MixedPrecision
from resnet_edge.diagnosis.attributions import Ends
from resnet_edge.diagnosis.diagnose import NOTHING, Diagnosis, Diagnostics, of_failed_files
from resnet_edge.diagnosis.error_growth_task import error_growth_requests
from resnet_edge.evaluation.reference_doubts import reference_doubts
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Comparator, Judgement, changed_answers
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import silent


@dataclass(kw_only=True)
class Verdicts:
    """Verdicts on what `build` made; `mixed_precision` tells what was tried where int8 missed the
    budget, and `diagnosis` what was found beside verdicts in `diagnosed_files`: those that failed, or all;
    `doubts` what speaks against the model, and `changes` which answers changed."""

    request: ConvertRequest
    inputs: Inputs
    workers: WorkerPool
    build: Build
    run_log: RunLog
    mixed_precision: MixedPrecision | None = None
    diagnosis: Diagnosis = NOTHING
    doubts: tuple[Doubt, ...] = ()
    changes: Changes | None = None
    diagnosed_files: frozenset[str] = frozenset()

    def judged(self, reference: Future[str], proofs: list[Evaluation]) -> list[Judgement]:
        """Judge every proof that ran; where int8 misses the budget, what is better takes its place."""
        expected = self.run_log.attempt("the Keras model, and every proof", reference.result, WorkerFailed)
        if expected is None:
            for proof in proofs:
                self.run_log.attempt(proof.what, proof.outputs.result)
            return []
        worker = self.workers.worker("verdicts", silent)  # a tenth of a second each: not worth a line
        facts = self.inputs.facts
        images, accepted = self.inputs.images, self.request.accept_reference
        judge = Comparator(
            *(worker, facts, images, self.request.max_drop_pp, expected),
            accept_reference=accepted,
            class_names=self.request.class_names,
        )
        judged = [
            judgement
            for proof in proofs
            if (judgement := self.run_log.attempt(proof.what, partial(judge.judged, proof))) is not None
        ]
        rows, steps = [judgement.parity for judgement in judged], self.build.lineage.steps
        self.doubts = reference_doubts(facts, images, rows, steps, accepted=accepted)
        if not self.doubts:
            for note in poor_reference(facts, rows):
                self.run_log.note("reference", note)
        if self.build.calibrated is not None and self.request.mixed_precision:
            judged = self._mixed(judge, judged)
        self._same_numbers(judge, judged)
        self.changes = self._changes(worker, judged, expected)
        self.build.scheduler.close()
        judge.close()
        return self._diagnose(judged, expected)

    def _changes(self, worker: Worker, judged: list[Judgement], expected: str) -> Changes | None:
        """No verdict depends on it."""
        facts, images = self.inputs.facts, self.inputs.images
        try:
            return changed_answers(
                worker, facts, images, expected, judged, thumbnails=self.request.thumbnails
            )
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self.run_log.note("changed answers", f"no table of the answers that changed: {error}")
            return None

    def _diagnose(self, judged: list[Judgement], expected: str) -> list[Judgement]:
        """What was judged, failed where a file that is looked into contradicts the model or its integers ran
        in float, as `verify` does it."""
        inputs, build = self.inputs, self.build
        chosen = judged if self.request.thorough else of_failed_files(judged)
        self.diagnosed_files = frozenset(judgement.parity.artifact for judgement in chosen)
        if not chosen:
            return judged
        diagnostics = Diagnostics(
            workers=self.workers,
            pool=build.pool,
            images=inputs.images,
            head=inputs.facts.head,
            preprocessing=None,
            scratch=build.workspace.scratch,
            on_progress=self.run_log.on_progress,
        )
        ends = Ends(
            reference=expected,
            unpruned=None,
            portable=lambda: inputs.portable,
            macs=inputs.facts.macs,
            rerun=None,
        )
        self.diagnosis = diagnostics.diagnose(chosen, lambda: inputs.portable, ends)
        self.run_log.notes += self.diagnosis.notes
        self.run_log.failures += self.diagnosis.failures
        after = dict(zip(map(id, chosen), self.diagnosis.judged, strict=True))
        return [after.get(id(judgement), judgement) for judgement in judged]

    def _mixed(self, judge: Comparator, judged: list[Judgement]) -> list[Judgement]:
        """What was judged, with int8 artifacts that meet the budget, or are better, in place of those
        that miss it."""
        # What is right on the processor and wrong elsewhere is no fault of int8: floats would hide it.
        plain = [f for f in judged if f.proof.job.may_mix_precision and f.proof.target.device == "cpu"]
        setup = self._mixed_precision_setup(judge) if missed(plain) else None
        if setup is None:
            return judged
        try:
            mixed = mix_precision(plain, setup)
        except OutputError:
            raise
        except ResnetEdgeError as error:  # int8 stays as it is, with the verdict that it has
            self.run_log.note("plan", f"no plan for {plain[0].proof.job.scheme}: {error}")
            return judged
        finally:
            setup.maker.close()
        self.mixed_precision = mixed.mixed_precision
        self.run_log.note("plan", mixed_precision_note(mixed.mixed_precision))
        kept = {artifact.file: artifact for artifact in mixed.mixed_precision.kept.artifacts}
        artifacts = self.run_log.artifacts
        artifacts[:] = [kept.get(artifact.file, artifact) for artifact in artifacts]
        for artifact in kept.values():
            self.build.pack(artifact)
        return mixed.in_place(judged)

    def _mixed_precision_setup(self, judge: Comparator) -> MixedPrecisionSetup | None:
        inputs, calibrated = self.inputs, self.build.calibrated
        if inputs.calibration is None or calibrated is None:
            return None
        return MixedPrecisionSetup(
            facts=inputs.facts,
            io=self.request.plan.io,
            calibrated=calibrated,
            calibration=inputs.calibration,
            images=inputs.images,
            maker=self.workers.worker("plan", self.run_log.on_progress),
            scheduler=self.build.scheduler,
            judge=judge,
            workspace=self.build.workspace,
            on_progress=self.run_log.on_progress,
            integer_scores=self.request.plan.integer_scores,
            runtimes=self.request.plan.runtimes,
            dense_scales=self.request.plan.dense_scales,
        )

    def _same_numbers(self, judge: Comparator, judged: list[Judgement]) -> None:
        """Say how far the int8 files of the two formats agree with each other."""
        cpu = [judgement for judgement in judged if judgement.proof.target.device == "cpu"]
        jobs = [(judgement.proof.job, judgement) for judgement in reversed(cpu)]
        ran = {
            job.format: judgement for job, judgement in jobs if scheme_of(job.scheme).activations == "int8"
        }
        ours, theirs = ran.get("tflite"), ran.get("onnx")
        if ours is None or theirs is None:
            return
        agreement = self.run_log.attempt("agreement", partial(judge.agreement, ours, theirs))
        if agreement is not None:
            artifacts = ours.proof.artifact, theirs.proof.artifact
            self.run_log.notes.append(same_numbers(*artifacts, self.inputs.facts.output, agreement))

    def error_growth(self) -> tuple[ErrorGrowth, ...]:
        """How errors grow from layer to layer in the files that are looked into; nothing depends on it."""
        inputs = self.inputs
        artifacts = [artifact for artifact in self.run_log.artifacts if artifact.file in self.diagnosed_files]
        requests = error_growth_requests(
            *(artifacts, inputs.portable, inputs.facts.head, self.build.calibrated, inputs.images),
            inputs.facts.macs,
        )
        if not requests:
            return ()
        worker, growth = self.workers.worker("error growth", self.run_log.on_progress), []
        for request in requests:
            try:
                growth.append(worker.run(request))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                self.run_log.note("error growth", f"{request.file}: no errors of its layers: {error}")
        worker.close()
        return tuple(growth)
