"""Runs in the parent. The images of a conversion: to prove on, and to calibrate with."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.data.images_task import PreparedImages, PrepareImages
from resnet_edge.workers.pool import Worker

CALIBRATION_LIMIT = 1000
HELD_OUT = 200
"""Images that are held out of the data for calibration where none are given, at most a fifth."""


@dataclass(frozen=True)
class NeededImages:
    """Reads DATA for a model, by `reader` into the scratch folder of `workspace`."""

    reader: Worker
    facts: ModelFacts
    workspace: Workspace

    def read(self, data: str, calibration: str | None, *, calibrates: bool) -> PreparedImages:
        """All of `data`, and images for calibration where the run `calibrates`: those of `calibration`,
        or some that are held out of `data`."""
        hold_out = HELD_OUT if calibrates and calibration is None else 0
        main = self._prepared("evaluation", data, None, hold_out)
        if not calibrates or calibration is None:
            return main
        given = self._prepared("calibration", calibration, CALIBRATION_LIMIT, 0, for_calibration=True)
        return PreparedImages(main.evaluation, given.evaluation)

    def _prepared(
        self, name: str, data: str, limit: int | None, hold_out: int, *, for_calibration: bool = False
    ) -> PreparedImages:
        request = PrepareImages(
            data=data,
            shape=self.facts.input_shape,
            classes=self.facts.classes,
            kind=self.facts.head.kind,
            preprocessing=self.facts.preprocessing,
            folder=str(self.workspace.scratch_folder(name)),
            limit=limit,
            hold_out=hold_out,
            for_calibration=for_calibration,
        )
        return self.reader.run(request)
