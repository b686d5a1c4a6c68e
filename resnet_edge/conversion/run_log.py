"""Runs in the parent. What a conversion starts from and has found so far, and how it goes on where a step
fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from resnet_edge.calibrate.learned_task import Placed
from resnet_edge.conversion.plan_task import Plan
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.report import Failure
from resnet_edge.data.images_task import Images
from resnet_edge.workers.progress import OnProgress, Progress

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What every artifact and proof starts from: the model, its float graph `portable` (.tflite), the
    images to prove on and those to calibrate with, and the ranges that were learned with the model."""

    facts: ModelFacts
    plan: Plan
    portable: str
    images: Images
    calibration: Images | None
    learned: Placed | None


@dataclass
class RunLog:
    """What the report will hold; `on_progress` hears at once of what went wrong."""

    on_progress: OnProgress
    artifacts: list[Artifact] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def attempt(
        self, what: str, step: Callable[[], T], survives: type[ResnetEdgeError] = ResnetEdgeError
    ) -> T | None:
        """Run a step that others can do without: its failure is noted, and the run goes on.

        Not on a full disk, nor where the error is not one that it `survives`.
        """
        try:
            return step()
        except OutputError:
            raise
        except survives as error:
            self.failures.append(Failure(what, str(error)))
            self.on_progress(Progress(step=what, note=f"{what}: {error}", line=True))
            return None

    def note(self, step: str, note: str) -> None:
        """A note of the report that is printed at once too."""
        self.notes.append(note)
        self.on_progress(Progress(step=step, note=f"note: {note}", line=True))
