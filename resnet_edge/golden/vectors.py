"""Runs in a worker. Replay golden vectors in any runtime.

Nothing that converts is imported, only numpy and the runtime: it is for devices without Keras.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers, changed
from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.core.head import Head
from resnet_edge.core.results.golden_vectors import GoldenArtifact, GoldenRow, GoldenTolerance, GoldenVectors
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.golden.file import read_golden
from resnet_edge.golden.task import ReplayGoldenVectors, UnpackGoldenVectors
from resnet_edge.workers.progress import OnProgress

Values = NDArray[np.float32]


def unpack(request: UnpackGoldenVectors, on_progress: OnProgress) -> GoldenVectors:
    """Check the file, and lay its images where a backend reads them. Raises DataError."""
    golden = read_golden(Path(request.path))
    try:
        np.save(request.images, golden.images, allow_pickle=False)
    except OSError as error:
        raise OutputError(f"{request.images} cannot be written: {error.strerror}") from error
    return golden.vectors


def replay(request: ReplayGoldenVectors, on_progress: OnProgress) -> GoldenRow:
    """Run an artifact on the golden images and judge what comes out. Raises ArtifactError where the runtime
    does not open it, DeviceUnavailable, MissingDependency, UnknownName."""
    golden = read_golden(Path(request.golden))
    artifact, head = golden.vectors.artifacts[request.artifact], golden.vectors.head
    tolerance = artifact.tolerance(request.backend, request.device)
    expected = golden.expected[request.artifact][tolerance.expected]
    task = Predict(
        path=request.path,
        format=artifact.format,
        backend=request.backend,
        device=request.device,
        threads=request.threads,
        images=request.images,
        out=request.out,
        ends=(artifact.input, artifact.output),
    )
    try:
        ran = predict(task, on_progress)
    except DataError as error:  # its input is another than when the vectors were saved
        return judged(request, artifact, head, tolerance, expected, None, request.device, str(error))
    return judged(request, artifact, head, tolerance, expected, np.load(ran.out), ran.device)


def judged(
    request: ReplayGoldenVectors,
    artifact: GoldenArtifact,
    head: Head,
    tolerance: GoldenTolerance,
    expected: Values,
    outputs: Values | None,
    device: str,
    why: str = "",
) -> GoldenRow:
    """The verdict on outputs; None: there are none, and `why` tells it. Nothing to compare is a failure."""
    fault = why or _fault(expected, outputs)
    reasons = [fault] if fault else []
    max_abs = steps = same = None
    if outputs is not None and not fault:
        apart = np.abs(outputs.astype(np.float64) - expected)
        max_abs = float(apart.max())
        steps = None if artifact.step is None else int(np.rint(apart / np.array(artifact.step)).max())
        other = np.zeros(len(outputs), bool)
        if head.kind != "embedding":  # whose numbers have no answer without other images
            other = changed(answers(head, outputs), answers(head, expected))
        same = int(np.count_nonzero(~other))
        reasons += _apart(max_abs, steps, other, tolerance)
    run = artifact.runs[tolerance.expected]
    return GoldenRow(
        artifact=Path(request.path).name,
        backend=request.backend,
        device=device,
        n=len(expected),
        max_abs=max_abs,
        steps=steps,
        same_top1=same,
        near_ties=len(tolerance.near_ties),
        allowed_max_abs=tolerance.max_abs,
        allowed_steps=tolerance.steps,
        verdict="fail" if reasons else "pass",
        reasons=tuple(reasons),
        source=f"against {run.backend} {run.device}; {tolerance.reason}",
    )


def _fault(expected: Values, outputs: Values | None) -> str:
    """What keeps outputs from being compared; empty where nothing does."""
    if outputs is None or len(outputs) == 0:
        return "there is no output to compare"
    if outputs.shape != expected.shape:
        return f"it gives {outputs.shape} outputs, and {expected.shape} were saved"
    bad = int(np.count_nonzero(~np.isfinite(outputs).all(axis=1)))
    return f"it gives NaN or Inf on {bad} of {len(outputs)} images" if bad else ""


def _apart(
    max_abs: float, steps: int | None, changed: NDArray[np.bool_], tolerance: GoldenTolerance
) -> list[str]:
    reasons = []
    if tolerance.steps is not None and steps is not None:
        if steps > tolerance.steps:
            reasons.append(f"outputs are up to {steps} quantization steps off; {tolerance.steps} may be")
    elif max_abs > tolerance.max_abs:
        reasons.append(f"outputs are up to {max_abs:.3g} off; {tolerance.max_abs:.3g} may be")
    clear = [int(row) for row in np.flatnonzero(changed) if row not in tolerance.near_ties]
    if clear:
        reasons.append(f"top-1 is another on {len(clear)} images that are no near-ties, the first {clear[0]}")
    return reasons
