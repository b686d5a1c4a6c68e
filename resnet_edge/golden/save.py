"""Runs in a worker. Golden vectors of what a run has measured: images, outputs and tolerances, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import resnet_edge
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.results.golden_vectors import GoldenArtifact, GoldenRun, GoldenVectors
from resnet_edge.data.encoded import ImageRows
from resnet_edge.data.image_file import open_images
from resnet_edge.evaluation.predict import load_backend
from resnet_edge.evaluation.predict_task import Ends
from resnet_edge.evaluation.sanity import examine
from resnet_edge.golden.file import GoldenFile, write_golden
from resnet_edge.golden.images import informative
from resnet_edge.golden.task import MeasuredArtifact, Saved, SaveGoldenVectors
from resnet_edge.golden.tolerances import allowed, gate_of, quantization_step, tolerances
from resnet_edge.workers.progress import OnProgress

Values = NDArray[np.float32]


def save(request: SaveGoldenVectors, on_progress: OnProgress) -> Saved:
    """Write the file. Raises DataError where nothing can be said with these images, OutputError."""
    images, reference = open_images(Path(request.images)), _outputs(request.reference, request.head)
    labels = _labels(request.labels, reference)
    if len(images) != len(reference) or request.count < 1:
        raise DataError(
            f"{request.count} of {len(images)} images, and {len(reference)} outputs of the reference: no "
            "golden vectors can be made of that"
        )
    rows = informative(reference, labels, request.count, request.head)
    notes: list[str] = []
    measured = [_measured(artifact, request.head, reference, rows, notes) for artifact in request.artifacts]
    kept = [pair for pair in measured if pair is not None]
    if not kept:
        raise DataError(f"there is nothing to save: {'; '.join(notes) or 'no artifact was run'}")
    taken = list(rows)
    vectors = _vectors(request, images, reference, labels, taken, tuple(artifact for artifact, _ in kept))
    golden = GoldenFile(vectors, images[taken], reference[taken], tuple(outputs for _, outputs in kept))
    write_golden(golden, Path(request.out))
    size = Path(request.out).stat().st_size
    return Saved(
        path=request.out, images=len(taken), artifacts=len(kept), size_bytes=size, notes=tuple(notes)
    )


def _vectors(
    request: SaveGoldenVectors,
    images: ImageRows,
    reference: Values,
    labels: NDArray[np.int64] | None,
    rows: list[int],
    artifacts: tuple[GoldenArtifact, ...],
) -> GoldenVectors:
    height, width, channels = images.shape[1:]
    return GoldenVectors(
        model=request.model,
        model_sha256=request.model_sha256,
        data=request.data,
        data_sha256=request.data_sha256,
        output=request.head.output,
        classes=request.head.classes,
        kind=request.head.kind,
        threshold=request.head.threshold,
        thresholds=request.head.thresholds,
        dimensions=request.head.dimensions,
        image_shape=(height, width, channels),
        class_names=request.class_names,
        rows=tuple(rows),
        labels=None if labels is None or labels.ndim == 2 else tuple(int(labels[row]) for row in rows),
        artifacts=artifacts,
        resnet_edge=resnet_edge.__version__,
        machine=f"{machine()['cpu']} ({machine()['architecture']})",
        versions=versions(),
    )


def _outputs(path: str, head: Head) -> Values:
    try:
        values: NDArray[Any] = np.load(Path(path), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if values.ndim != 2 or values.dtype.kind != "f" or values.shape[1] != head.outputs:
        raise DataError(f"{path} holds {values.dtype} {values.shape}; outputs are floats (N, {head.outputs})")
    return values.astype(np.float32, copy=False)


def _labels(path: str | None, reference: Values) -> NDArray[np.int64] | None:
    if path is None:
        return None
    labels = np.load(Path(path), allow_pickle=False)
    if len(labels) != len(reference) or labels.ndim not in (1, 2) or labels.dtype.kind not in "iu":
        raise DataError(
            f"the labels are {labels.dtype} {labels.shape}, and there are {len(reference)} images"
        )
    checked: NDArray[np.int64] = labels.astype(np.int64)
    return checked


def _measured(
    measured: MeasuredArtifact, head: Head, reference: Values, rows: tuple[int, ...], notes: list[str]
) -> tuple[GoldenArtifact, tuple[Values, ...]] | None:
    """An artifact with the outputs of its runs for the rows; None, and a note, where they say nothing."""
    file = Path(measured.path).name
    runs: list[GoldenRun] = []
    outputs: list[Values] = []
    for run in measured.runs:
        values = _outputs(run.outputs, head)
        if values.shape != reference.shape:
            raise DataError(f"{run.outputs} is {values.shape}, and the reference {reference.shape}")
        if finding := examine(reference, values, head):
            notes.append(f"{file} on {run.backend} {run.device} is left out: {finding.reason}")
            if not runs:
                return None
            continue
        runs.append(GoldenRun(run.backend, run.device))
        outputs.append(values)
    if not runs:
        notes.append(f"{file} is left out: it was not run")
        return None
    ends = _ends(measured)
    declared = ends[1].scale if ends[1] is not None else None
    step = measured.step or declared or quantization_step(measured.scheme, outputs[0])
    largest = float(np.abs(outputs[0]).max())
    picked = tuple(values[list(rows)] for values in outputs)
    limits = tolerances(measured.scheme, head, step, runs, picked, largest, _here(runs, outputs))
    artifact = GoldenArtifact(
        file=file,
        sha256=sha256_of(Path(measured.path)),
        format=measured.format,
        scheme=measured.scheme,
        runs=tuple(runs),
        tolerances=limits,
        step=step,
        input=ends[0],
        output=ends[1],
    )
    notes += _beyond(artifact, outputs, largest)
    return artifact, picked


def _ends(measured: MeasuredArtifact) -> Ends:
    """How the ends are quantized, as the backend that ran the file says."""
    run, path = measured.runs[0], Path(measured.path)
    backend = load_backend(run.backend, measured.format, measured.path)
    with backend.open_session(path, run.device, 1) as session:
        return session.input.quantization, session.output.quantization


def _from_first(outputs: list[Values]) -> list[float]:
    return [float(np.abs(values.astype(np.float64) - outputs[0]).max()) for values in outputs[1:]]


def _here(runs: list[GoldenRun], outputs: list[Values]) -> str:
    """What this run has measured of it, in a phrase; empty for a single runtime."""
    others = zip(runs[1:], _from_first(outputs), strict=True)
    differences = ", ".join(f"{run.backend} {run.device} {most:.2g}" for run, most in others)
    return f"; here, on {len(outputs[0]):,} images: {differences}" if differences else ""


def _beyond(artifact: GoldenArtifact, outputs: list[Values], largest: float) -> list[str]:
    """Which runs of here are farther from the first than its tolerance: findings."""
    findings = []
    for run, most in zip(artifact.runs[1:], _from_first(outputs), strict=True):
        limit = allowed(gate_of(artifact.scheme, artifact.step, run.device), artifact.step, largest)
        if most > limit:
            findings.append(
                f"{artifact.file}: {run.backend} {run.device} is up to {most:.3g} from "
                f"{artifact.runs[0].backend}, more than the {limit:.3g} that are usual; nothing was widened"
            )
    return findings
