"""Runs in the parent. Artifacts run on every image, several side by side, from when they are made."""

from __future__ import annotations

import queue
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.machine import available_memory, usable_cores
from resnet_edge.core.progress import Report
from resnet_edge.stages import calls
from resnet_edge.stages.crew import Crew, Member

FEWEST, MOST = 2, 4
"""Workers. One is never enough: a slow proof would hold up all others. Each takes the memory
of a runtime with one artifact open, and runs on one thread."""
MEMORY_EACH = 1 << 30
"""Bytes that must be free for each: a ResNet-50 in float takes 0.4 GB, a ResNet-152 twice that."""


def how_many() -> int:
    """How many proofs run side by side on this machine."""
    memory = available_memory()
    affordable = MOST if memory is None else int(memory // MEMORY_EACH)
    return max(1, min(MOST, max(FEWEST, usable_cores()), affordable))


@dataclass(frozen=True)
class Proof:
    """The outputs of one artifact at one place, when they are there."""

    artifact: Artifact
    job: calls.Job
    place: calls.Place
    outputs: Future[calls.PredictResult]

    @property
    def what(self) -> str:
        """As a person says it."""
        return f"{self.artifact.file} on {self.place.backend} {self.place.device}"


class Provers:
    """The workers that run artifacts; `executor` has at least `how_many()` threads for them."""

    def __init__(self, crew: Crew, executor: Executor, scratch: Path, tell: Report) -> None:
        self._executor, self._scratch = executor, scratch
        self._members = [crew.member(f"proof {number + 1}", tell) for number in range(how_many())]
        self._idle: queue.SimpleQueue[Member] = queue.SimpleQueue()
        for member in self._members:
            self._idle.put(member)

    def start(
        self,
        artifact: Artifact,
        job: calls.Job,
        place: calls.Place,
        images: calls.Images,
        folder: Path | None = None,
    ) -> Proof:
        """Run `artifact` on all images as soon as a worker is idle; outputs go to `folder`, or to the
        scratch folder."""
        out = (folder or self._scratch) / f"{artifact.file}.{place.backend}.{place.device}.npy"
        request = calls.PredictRequest(
            artifact.path, artifact.format, place.backend, place.device, 1, images.images, str(out)
        )
        return Proof(artifact, job, place, self._executor.submit(self._run, request))

    def _run(self, request: calls.PredictRequest) -> calls.PredictResult:
        member = self._idle.get()
        try:
            return member.call("resnet_edge.stages.predict:predict", request, calls.PredictResult)
        finally:
            self._idle.put(member)

    def dismiss(self) -> None:
        """End the processes."""
        for member in self._members:
            member.dismiss()
