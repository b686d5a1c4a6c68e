"""Runs in the parent. From the outputs of proofs to verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.parity import Parity
from resnet_edge.stages import calls
from resnet_edge.stages.crew import Member
from resnet_edge.stages.proofs import Proof


@dataclass(frozen=True)
class Judged:
    """A proof that ran, its outputs (.npy), and the verdict on them."""

    proof: Proof
    outputs: str
    parity: Parity


class Judge:
    """Compares outputs with those of the model itself, `reference` (.npy), on the same `images`."""

    def __init__(
        self, member: Member, facts: ModelFacts, images: calls.Images, max_drop_pp: float, reference: str
    ) -> None:
        self._member, self._facts, self._images = member, facts, images
        self._max_drop_pp, self._reference = max_drop_pp, reference

    def judged(self, proof: Proof) -> Judged:
        """Wait for the outputs of a proof, and judge them. Raises whatever stopped either."""
        ran = proof.outputs.result()
        request = calls.CompareRequest(
            proof.artifact.file,
            proof.place.backend,
            ran.device,
            proof.job.scheme,
            self._facts.output,
            self._reference,
            ran.out,
            self._images.labels,
            self._max_drop_pp,
            proof.job.min_sqnr_db,
        )
        return Judged(
            proof, ran.out, self._member.call("resnet_edge.stages.compare:compare", request, Parity)
        )

    def agreement(self, a: Judged, b: Judged) -> calls.Agreement:
        """How far two artifacts agree with each other."""
        request = calls.AgreementRequest(a.outputs, b.outputs, None)
        return self._member.call("resnet_edge.stages.compare:agree", request, calls.Agreement)

    def dismiss(self) -> None:
        """End the process."""
        self._member.dismiss()
