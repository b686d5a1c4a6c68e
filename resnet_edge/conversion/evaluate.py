"""Runs in the parent. From the outputs of proofs to what the report says of the artifacts."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from resnet_edge.conversion.build import Making
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.mixed_precision import RescueSetup, missed, rescue
from resnet_edge.conversion.notes import poor_reference, rescued, same_numbers
from resnet_edge.conversion.run_log import Basis, Findings
from resnet_edge.core.doubt import Doubt
from resnet_edge.core.error_growth import ErrorGrowth
from resnet_edge.core.errors import OutputError, ResnetEdgeError, WorkerFailed
from resnet_edge.core.rescue import Rescue
from resnet_edge.diagnosis.attributions import Ends
from resnet_edge.diagnosis.diagnose import NOTHING, Answers, Inquiry, of_failed_files
from resnet_edge.diagnosis.error_growth_request import error_growth_requests
from resnet_edge.evaluation.reference_doubts import reference_doubts
from resnet_edge.evaluation.scheduler import Proof
from resnet_edge.evaluation.verdict import Judge, Judged
from resnet_edge.workers.pool import Crew
from resnet_edge.workers.progress import silent


@dataclass
class Proving:
    """Verdicts on what `making` made; `rescue` tells what was tried where int8 missed the budget, and
    `answers` what was found beside verdicts in the files of `looked_into`: those that failed, or all;
    `doubts` what speaks against the model."""

    request: ConvertRequest
    basis: Basis
    crew: Crew
    making: Making
    findings: Findings
    rescue: Rescue | None = None
    answers: Answers = NOTHING
    doubts: tuple[Doubt, ...] = ()
    looked_into: frozenset[str] = frozenset()

    def judged(self, reference: Future[str], proofs: list[Proof]) -> list[Judged]:
        """Judge every proof that ran; where int8 misses the budget, what is better takes its place."""
        expected = self.findings.attempt("the Keras model, and every proof", reference.result, WorkerFailed)
        if expected is None:
            for proof in proofs:
                self.findings.attempt(proof.what, proof.outputs.result)
            return []
        member = self.crew.member("verdicts", silent)  # a tenth of a second each: not worth a line
        facts = self.basis.facts
        images, accepted = self.basis.images, self.request.accept_reference
        judge = Judge(member, facts, images, self.request.max_drop_pp, expected, accept_reference=accepted)
        judged = [
            found
            for proof in proofs
            if (found := self.findings.attempt(proof.what, partial(judge.judged, proof))) is not None
        ]
        rows, steps = [found.parity for found in judged], self.making.story.steps
        self.doubts = reference_doubts(facts, images, rows, steps, accepted=accepted)
        if not self.doubts:
            for note in poor_reference(facts, rows):
                self.findings.note("reference", note)
        if self.making.calibrated is not None and self.request.rescue:
            judged = self._rescued(judge, judged)
        self._same_numbers(judge, judged)
        self.making.provers.dismiss()
        judge.dismiss()
        return self._inquired(judged, expected)

    def _inquired(self, judged: list[Judged], expected: str) -> list[Judged]:
        """What was judged, failed where a file that is looked into contradicts the model or its integers ran
        in float, as `verify` does it."""
        basis, making = self.basis, self.making
        asked = judged if self.request.thorough else of_failed_files(judged)
        self.looked_into = frozenset(found.parity.artifact for found in asked)
        if not asked:
            return judged
        inquiry = Inquiry(
            *(self.crew, making.pool, basis.images, basis.facts.head, None),
            *(making.workspace.scratch, self.findings.tell),
        )
        ends = Ends(expected, None, lambda: basis.portable, basis.facts.macs, None)
        self.answers = inquiry.answers(asked, lambda: basis.portable, ends)
        self.findings.notes += self.answers.notes
        self.findings.failures += self.answers.failures
        after = dict(zip(map(id, asked), self.answers.judged, strict=True))
        return [after.get(id(found), found) for found in judged]

    def _rescued(self, judge: Judge, judged: list[Judged]) -> list[Judged]:
        """What was judged, with int8 artifacts that meet the budget, or are better, in place of those
        that miss it."""
        # What is right on the processor and wrong elsewhere is no fault of int8: floats would hide it.
        plain = [f for f in judged if f.proof.job.rescuable and f.proof.place.device == "cpu"]
        setup = self._rescue_setup(judge) if missed(plain) else None
        if setup is None:
            return judged
        try:
            found = rescue(plain, setup)
        except OutputError:
            raise
        except ResnetEdgeError as error:  # int8 stays as it is, with the verdict that it has
            self.findings.note("plan", f"no plan for {plain[0].proof.job.scheme}: {error}")
            return judged
        finally:
            setup.maker.dismiss()
        self.rescue = found.rescue
        self.findings.note("plan", rescued(found.rescue))
        kept = {artifact.file: artifact for artifact in found.rescue.kept.artifacts}
        made = self.findings.artifacts
        made[:] = [kept.get(artifact.file, artifact) for artifact in made]
        for artifact in kept.values():
            self.making.pack(artifact)
        return found.in_place(judged)

    def _rescue_setup(self, judge: Judge) -> RescueSetup | None:
        basis, calibrated = self.basis, self.making.calibrated
        if basis.calibration is None or calibrated is None:
            return None
        return RescueSetup(
            basis.facts,
            self.request.plan.io,
            calibrated,
            basis.calibration,
            basis.images,
            self.crew.member("plan", self.findings.tell),
            self.making.provers,
            judge,
            self.making.workspace,
            self.findings.tell,
            self.request.plan.integer_scores,
            self.request.plan.runtimes,
            self.request.plan.dense_scales,
        )

    def _same_numbers(self, judge: Judge, judged: list[Judged]) -> None:
        """Say how far the int8 files of the two formats agree with each other."""
        cpu = [found for found in judged if found.proof.place.device == "cpu"]
        ran = {(found.proof.job.format, found.proof.job.scheme): found for found in reversed(cpu)}
        ours, theirs = ran.get(("tflite", "int8")), ran.get(("onnx", "int8"))
        if ours is None or theirs is None:
            return
        found = self.findings.attempt("agreement", partial(judge.agreement, ours, theirs))
        if found is not None:
            artifacts = ours.proof.artifact, theirs.proof.artifact
            self.findings.notes.append(same_numbers(*artifacts, self.basis.facts.output, found))

    def error_growth(self) -> tuple[ErrorGrowth, ...]:
        """How errors grow from layer to layer in the files that are looked into; nothing depends on it."""
        basis = self.basis
        asked = [artifact for artifact in self.findings.artifacts if artifact.file in self.looked_into]
        requests = error_growth_requests(
            *(asked, basis.portable, basis.facts.head, self.making.calibrated, basis.images),
            basis.facts.macs,
        )
        if not requests:
            return ()
        member, found = self.crew.member("error growth", self.findings.tell), []
        for request in requests:
            try:
                found.append(member.run(request))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                self.findings.note("error growth", f"{request.file}: no errors of its layers: {error}")
        member.dismiss()
        return tuple(found)
