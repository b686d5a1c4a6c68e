"""Runs in the parent. The lint of images that artifacts were calibrated with, for `verify`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.calibrate.lint_task import LintCalibration
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.data.images_task import Images, PrepareImages
from resnet_edge.data.needed_images import CALIBRATION_LIMIT
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True)
class CalibrationImages:
    """The images `given`, beside those of the proof."""

    given: Images
    facts: ModelFacts
    proof: Images

    @classmethod
    def read(
        cls,
        data: str,
        facts: ModelFacts,
        proof: Images,
        folder: Path,
        workers: WorkerPool,
        on_progress: OnProgress,
    ) -> CalibrationImages:
        """`data` as the user names it, into `folder`. Raises DataError, OutputError."""
        folder.mkdir()
        request = PrepareImages(
            data=data,
            shape=facts.input_shape,
            classes=facts.classes,
            kind=facts.head.kind,
            preprocessing=facts.preprocessing,
            folder=str(folder),
            limit=CALIBRATION_LIMIT,
            for_calibration=True,
        )
        worker = workers.worker("calibration images", on_progress)
        try:
            return cls(worker.run(request).evaluation, facts, proof)
        finally:
            worker.close()

    def linted(
        self, workers: WorkerPool, portable: Callable[[], str], on_progress: OnProgress
    ) -> CalibrationLint:
        """What is wrong with them. Without a float graph, nothing is said of activations. Raises DataError,
        OutputError."""
        facts = self.facts
        request = LintCalibration(
            calibration=self.given,
            evaluation=self.proof,
            head=facts.head,
            preprocessing=facts.preprocessing,
            portable=_graph(portable),
            macs=facts.macs,
        )
        worker = workers.worker("calibration lint", on_progress)
        try:
            return worker.run(request)
        finally:
            worker.close()


def _graph(portable: Callable[[], str]) -> str | None:
    try:
        return portable()
    except OutputError:
        raise
    except ResnetEdgeError:  # that layers are not compared is noted where they would have been
        return None
