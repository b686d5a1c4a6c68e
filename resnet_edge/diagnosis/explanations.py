"""Runs in the parent. Which artifacts are looked into, and what follows from what is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from resnet_edge.core.errors import OutputError, ResnetEdgeError, WorkerFailed
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.report import Failure
from resnet_edge.data.images_task import Images
from resnet_edge.diagnosis.explain_task import CompareLayers
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress

IMAGES = 16
"""Images on which activations are compared (diagnosis/error_growth_task.py says why so few suffice)."""


SEVERITY = {"pass": 0, "inconclusive": 1, "fail": 2}


@dataclass(frozen=True)
class Explanations:
    """What was found; `notes` on what could not be looked into, and `failures` where looking broke: a file
    that was not compared is not proved."""

    explanations: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


class Explainer:
    """Looks into artifacts, each once, on whichever backend it did worst."""

    def __init__(
        self,
        workers: WorkerPool,
        images: Images,
        preprocessing: Preprocessing | None,
        on_progress: OnProgress,
    ) -> None:
        self._worker = workers.worker("layers", on_progress)
        self._images, self._preprocessing = images, preprocessing

    def explain(self, judged: Sequence[Judgement], portable: Callable[[], str]) -> Explanations:
        """Every layer of every artifact, on what it reads itself."""
        ranked = sorted(judged, key=lambda one: SEVERITY[one.parity.verdict])
        worst = {one.proof.artifact.path: one for one in ranked}
        readable = [f for f in worst.values() if f.proof.job.format in ("tflite", "onnx")]
        if not readable:
            return Explanations()
        try:
            graph = portable()
        except OutputError:
            raise
        except ResnetEdgeError as error:
            return Explanations(notes=(f"layers are not compared: {error}",))
        explanations = Explanations()
        for each in readable:
            what = f"the layers of {each.proof.artifact.file}"
            try:
                explanations = replace(
                    explanations, explanations=(*explanations.explanations, self._one(each, graph))
                )
            except OutputError:
                raise
            except WorkerFailed as error:
                explanations = replace(
                    explanations, failures=(*explanations.failures, Failure(what, str(error)))
                )
            except ResnetEdgeError as error:
                explanations = replace(
                    explanations, notes=(*explanations.notes, f"{what} are not compared: {error}")
                )
        return explanations

    def _one(self, judged: Judgement, portable: str) -> Explanation:
        artifact = judged.proof.artifact
        request = CompareLayers(
            file=judged.parity.artifact,
            path=artifact.path,
            format=artifact.format,
            portable=portable,
            images=self._images.images,
            preprocessing=self._preprocessing,
            n=min(IMAGES, self._images.n),
        )
        explanation = self._worker.run(request).explanation
        if judged.parity.verdict == "pass":  # nothing is there to be explained but what contradicts it
            return replace(explanation, findings=explanation.contradictions)
        return explanation

    def close(self) -> None:
        """End the process."""
        self._worker.close()
