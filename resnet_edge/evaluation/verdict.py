"""Runs in the parent. From the outputs of proofs to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from resnet_edge.core.head import HeadKind
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.changes_task import CountChanges, FileOutputs
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.compare_task import Agreement, CompareOutputs, CountAgreement
from resnet_edge.evaluation.outputs_task import Aligned, AlignOutputs
from resnet_edge.evaluation.predict_task import PredictResult
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.workers.pool import Worker

Row = TypeVar("Row", Attribution, Execution)
CLASSES: frozenset[HeadKind] = frozenset({"classes", "binary"})
"""Heads whose answer is one class."""


@dataclass(frozen=True)
class Judgement:
    """A proof that ran, its outputs (.npy), and the verdict on them. `by_rounding`: they are the reference's,
    but for what the float type of the file rounds."""

    proof: Evaluation
    outputs: str
    parity: Parity
    by_rounding: bool = False

    def among(self, rows: Iterable[Row]) -> Row | None:
        """What is told of the same artifact on the same device; None where nothing is."""
        own = self.parity.artifact, self.parity.backend, self.parity.device
        return next((row for row in rows if (row.artifact, row.backend, row.device) == own), None)

    def contradicted(self, explanations: Sequence[Explanation]) -> Judgement:
        """The same, failed where the file itself contradicts the reference, whatever these images show; but
        not where the outputs are the reference's within rounding, which no other computation gives."""
        if self.by_rounding:
            return self
        name = self.parity.artifact
        certain = [f for each in explanations if each.artifact == name for f in each.contradictions]
        if not certain:
            return self
        return self.failed(certain[0].sentence)

    @property
    def undecided(self) -> bool:
        """Whether more images may tell more."""
        return self.parity.verdict == "inconclusive"

    def failed(self, reason: str) -> Judgement:
        """The same, failed for a reason that no number of images would change."""
        return self._with("fail", reason)

    def unproved(self, reason: str) -> Judgement:
        """The same, inconclusive for a reason that more images of the same kind would not change."""
        return self._with("inconclusive", reason)

    def _with(self, verdict: Verdict, reason: str) -> Judgement:
        reasons = (reason, *self.parity.reasons)
        return replace(
            self, parity=replace(self.parity, verdict=verdict, reasons=reasons, samples_needed=None)
        )


def changed_answers(
    worker: Worker,
    facts: ModelFacts,
    images: Images,
    reference: str,
    judged: Sequence[Judgement],
    *,
    thumbnails: bool,
) -> Changes | None:
    """Which answers changed beside those of `reference` (.npy) on `images`; None where the head does not
    tell classes apart. `thumbnails`: with pictures, where the images are pixels."""
    if facts.head.kind not in CLASSES:
        return None
    candidates = tuple(
        FileOutputs(
            artifact=one.parity.artifact,
            backend=one.parity.backend,
            device=one.parity.device,
            outputs=one.outputs,
        )
        for one in judged
    )
    request = CountChanges(
        head=facts.head,
        reference=reference,
        candidates=candidates,
        images=images,
        pictures=thumbnails and facts.preprocessing.takes_pixels,
    )
    return worker.run(request)


def with_machines(cluster: Cluster | None, judged: Iterable[Judgement]) -> list[Judgement]:
    """The same, whose rows say which machines took part where these are unlike."""
    return [
        one
        if cluster is None
        else replace(one, parity=replace(one.parity, machines=cluster.unlike(one.proof.nodes)))
        for one in judged
    ]


def settled(explanations: Sequence[Explanation], judged: Sequence[Judgement]) -> tuple[Explanation, ...]:
    """What was found in files, as remarks where every output of the file is the reference's within rounding:
    an oddity that shows nowhere accuses nobody."""
    same = {one.parity.artifact for one in judged if one.by_rounding}
    same -= {one.parity.artifact for one in judged if not one.by_rounding}
    return tuple(_remarked(e) if e.artifact in same else e for e in explanations)


def _remarked(explanation: Explanation) -> Explanation:
    sentences = tuple(finding.sentence for finding in explanation.findings)
    return replace(explanation, findings=(), remarks=(*sentences, *explanation.remarks))


class Comparator:
    """Compares outputs with those of the model itself, `reference` (.npy), on the same `images`. `head` is
    what the last were compared as, and `looks` how often verdicts are asked for at most, `early` that they
    will be again. `class_names` come before those of the images and the model."""

    def __init__(
        self,
        worker: Worker,
        facts: ModelFacts,
        images: Images,
        max_drop_pp: float,
        reference: str,
        *,
        accept_reference: bool = False,
        looks: int = 1,
        early: bool = False,
        class_names: tuple[str, ...] = (),
    ) -> None:
        self._class_names = class_names or images.class_names or facts.class_names
        self._worker, self._facts, self._images = worker, facts, images
        self._max_drop_pp, self._reference = max_drop_pp, reference
        self._accept_reference, self._looks, self._early = accept_reference, looks, early
        self.notes: list[str] = []
        self.head = facts.head

    def judged(self, proof: Evaluation) -> Judgement:
        """Wait for the outputs of a proof, and judge them. Raises whatever stopped either."""
        ran = proof.outputs.result()
        return self._compared(proof, ran, Aligned(self._facts.head, self._reference, ran.out, ""))

    def _compared(self, proof: Evaluation, ran: PredictResult, same: Aligned) -> Judgement:
        self.head = same.head
        request = CompareOutputs(
            artifact=proof.artifact.file,
            backend=proof.target.backend,
            device=ran.device,
            scheme=proof.job.scheme,
            head=same.head,
            reference=same.reference,
            candidate=same.candidate,
            labels=self._images.labels,
            max_drop_pp=self._max_drop_pp,
            min_sqnr_db=proof.job.min_sqnr_db,
            path=proof.artifact.path,
            format=proof.artifact.format,
            accept_reference=self._accept_reference,
            looks=self._looks,
            early=self._early,
            class_names=self._class_names,
        )
        comparison = self._worker.run(request)
        return Judgement(proof, ran.out, comparison.parity, comparison.by_rounding)

    def aligned(self, proof: Evaluation, scratch: Path) -> Judgement:
        """As `judged`, of an artifact that may end in a softmax or sigmoid that the reference leaves out, or
        the other way round."""
        ran = proof.outputs.result()
        out = str(
            scratch / f"{proof.artifact.sha256[:16]}.{proof.target.backend}.{proof.target.device}.aligned.npy"
        )
        task = AlignOutputs(head=self._facts.head, reference=self._reference, candidate=ran.out, out=out)
        same = self._worker.run(task)
        if same.through:
            last = "softmax" if same.head.kind == "classes" else "sigmoid"
            ends = f"in a {last}, and the reference does not"
            ends = ends if same.through == "reference" else f"without a {last}, and the reference with one"
            note = f"{proof.artifact.file} ends {ends}: who reads its scores must know"
            self.notes += [note] if note not in self.notes else []
        return self._compared(proof, ran, same)

    def agreement(self, a: Judgement, b: Judgement) -> Agreement:
        """How far two artifacts agree with each other."""
        request = CountAgreement(head=self._facts.head, a=a.outputs, b=b.outputs)
        return self._worker.run(request)

    def close(self) -> None:
        """End the process."""
        self._worker.close()
