"""Runs in the parent. The lint of images that artifacts were calibrated with, for `verify`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.calibration_lint import CalibrationLint
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.progress import Report as Tell
from resnet_edge.stages.calibration_lint_request import CalibrationLintRequest
from resnet_edge.stages.crew import Crew, ask
from resnet_edge.stages.images_request import Images, ImagesRequest, PreparedImages
from resnet_edge.stages.needed_images import CALIBRATION_LIMIT


@dataclass(frozen=True)
class CalibrationImages:
    """`data` as the user names it, beside the images of the proof."""

    data: str
    facts: ModelFacts
    proof: Images
    folder: Path

    def linted(self, crew: Crew, portable: Callable[[], str], tell: Tell) -> CalibrationLint:
        """What is wrong with them. Without a float graph, nothing is said of activations. Raises DataError,
        OutputError."""
        self.folder.mkdir()
        facts = self.facts
        asked = ImagesRequest(
            *(self.data, facts.input_shape, facts.classes, facts.preprocessing, str(self.folder)),
            limit=CALIBRATION_LIMIT,
            for_calibration=True,
        )
        member = crew.member("calibration lint", tell)
        try:
            given = ask(member, "images:prepare", asked, PreparedImages).evaluation
            graph = _graph(portable)
            request = CalibrationLintRequest(
                *(given, self.proof, facts.classes, facts.preprocessing), portable=graph, macs=facts.macs
            )
            return ask(member, "calibration_lint:lint", request, CalibrationLint)
        finally:
            member.dismiss()


def _graph(portable: Callable[[], str]) -> str | None:
    try:
        return portable()
    except OutputError:
        raise
    except ResnetEdgeError:  # that layers are not compared is noted where they would have been
        return None
