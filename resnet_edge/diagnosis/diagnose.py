"""Runs in the parent. What is asked of artifacts once they have verdicts: where they part from the model,
what ran in integers, and which step loses how much; all at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.report import Failure
from resnet_edge.data.images_task import Images
from resnet_edge.diagnosis.attributions import IMAGES, Attributor, Ends
from resnet_edge.diagnosis.explanations import Explainer, Explanations
from resnet_edge.diagnosis.integers import IntegerChecks, Integers
from resnet_edge.evaluation.verdict import Judgement, settled
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """`judged` as it was, failed where files contradict the model or integers ran in float; and all that was
    found; `failures` are of looking into files."""

    judged: tuple[Judgement, ...]
    explanations: tuple[Explanation, ...]
    integers: Integers
    attributions: tuple[Attribution, ...]
    notes: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


def together(diagnoses: Sequence[Diagnosis]) -> Diagnosis:
    """All of them as one."""

    def every(name: str) -> tuple[Any, ...]:
        return tuple(chain.from_iterable(getattr(one, name) for one in diagnoses))

    integers = [one.integers for one in diagnoses]
    return Diagnosis(
        judged=every("judged"),
        explanations=every("explanations"),
        integers=Integers(
            tuple(chain.from_iterable(one.executions for one in integers)),
            tuple(chain.from_iterable(one.risks for one in integers)),
            tuple(chain.from_iterable(one.notes for one in integers)),
        ),
        attributions=every("attributions"),
        notes=tuple(dict.fromkeys(every("notes"))),
        failures=every("failures"),
    )


NOTHING = Diagnosis(judged=(), explanations=(), integers=Integers((), (), ()), attributions=(), notes=())


def of_failed_files(judged: Sequence[Judgement]) -> list[Judgement]:
    """All that was judged of files that failed anywhere; where such a file holds tells as much."""
    failed = {one.parity.artifact for one in judged if one.parity.verdict == "fail"}
    return [one for one in judged if one.parity.artifact in failed]


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """On `images`, which go through `preprocessing` where artifacts do not take pixels; `head` is the
    model's. `attributed`: the images on which gaps are split into causes."""

    workers: WorkerPool
    pool: Executor
    images: Images
    head: Head
    preprocessing: Preprocessing | None
    scratch: Path
    on_progress: OnProgress
    attributed: int = IMAGES

    def diagnose(
        self, judged: Sequence[Judgement], portable: Callable[[], str] | None, ends: Ends | None
    ) -> Diagnosis:
        """`portable` gives the float graph to compare layers with (None: nothing is explained); `ends` are
        those of the gaps (None: they are not split). Raises OutputError."""
        common = self.workers, self.pool, self.images, self.preprocessing
        checks = IntegerChecks(*common, self.head, self.on_progress)
        attributor = Attributor(*common, self.head, self.scratch, self.attributed, self.on_progress)
        checks.start(judged, emulates=portable is not None)
        if ends is not None:
            attributor.start(judged, ends)
        explained = self._explained(judged, portable)
        explanations = settled(explained.explanations, judged)
        integers, causes = checks.integers(), attributor.causes()
        return Diagnosis(
            judged=tuple(
                causes.beside(integers.beside(judgement.contradicted(explanations))) for judgement in judged
            ),
            explanations=explanations,
            integers=integers,
            attributions=causes.attributions,
            notes=(*explained.notes, *integers.notes, *causes.notes),
            failures=explained.failures,
        )

    def _explained(self, judged: Sequence[Judgement], portable: Callable[[], str] | None) -> Explanations:
        if portable is None or not judged:
            return Explanations()
        explainer = Explainer(self.workers, self.images, self.preprocessing, self.on_progress)
        try:
            return explainer.explain(judged, portable)
        finally:
            explainer.close()
