"""Runs in the parent. The lint of the calibration images, beside the build of artifacts and their proofs."""

from __future__ import annotations

from concurrent.futures import Executor, Future

from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.calibrate.lint_task import LintCalibration
from resnet_edge.conversion.run_log import Inputs, RunLog
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.workers.pool import Worker, WorkerPool

STEP = "calibration lint"


class Linting:
    """Begun by `start`, once calibration has run the float graph; `lint` waits for it."""

    def __init__(self, inputs: Inputs, workers: WorkerPool, pool: Executor, run_log: RunLog) -> None:
        self._inputs, self._workers, self._pool, self._findings = inputs, workers, pool, run_log
        self._begun: Future[CalibrationLint] | None = None

    def start(self, calibrated: Calibration | None) -> None:
        """Begin, where there are calibration images; where calibration failed, on the images alone."""
        inputs = self._inputs
        if inputs.calibration is None:
            return
        request = LintCalibration(
            calibration=inputs.calibration,
            evaluation=inputs.images,
            head=inputs.facts.head,
            preprocessing=inputs.facts.preprocessing,
            portable=None if calibrated is None else inputs.portable,
            limits=None if calibrated is None else calibrated.limits,
            outputs=None if calibrated is None else calibrated.outputs,
            macs=inputs.facts.macs,
        )
        worker = self._workers.worker(STEP, self._findings.on_progress)
        self._begun = self._pool.submit(_linted, worker, request)

    def lint(self) -> CalibrationLint | None:
        """What was found, and told at once where it is an error or a warning. A lint that itself fails is a
        note: no artifact depends on it. Raises OutputError."""
        if self._begun is None:
            return None
        try:
            lint = self._begun.result()
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self._findings.note(STEP, f"the calibration images could not be looked through: {error}")
            return None
        for finding in (*lint.of("error"), *lint.of("warning")):
            self._findings.note(STEP, f"{finding.severity} in the calibration: {finding.sentence}")
        return lint


def _linted(worker: Worker, request: LintCalibration) -> CalibrationLint:
    try:
        return worker.run(request)
    finally:
        worker.close()
