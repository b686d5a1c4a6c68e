"""Runs in a worker. An int8 ONNX file on a processor without VNNI, emulated."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends.onnxruntime import open_session
from resnet_edge.core.affordable import images_within
from resnet_edge.core.answers import answers
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.head import Head
from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk, LayerRisk, Way
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.core.tensors import dequantize
from resnet_edge.data.image_file import open_images
from resnet_edge.data.pixels import preprocessed
from resnet_edge.data.rows import evenly
from resnet_edge.diagnosis.integers_task import EmulateOverflow, Overflowed
from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.diagnosis.overflow_advice import advice
from resnet_edge.evaluation.outputs import seen
from resnet_edge.evaluation.predict import stored
from resnet_edge.evaluation.rules import tabulate
from resnet_edge.formats.onnx import optimized, pairs
from resnet_edge.graph.macs import stated_in_integers
from resnet_edge.workers.progress import OnProgress, tracked

Outputs = NDArray[np.float32]

MACS = 4e10
"""Multiply-accumulates in each way, which take 10 to 20 s: 1,000 images of a ResNet-20, 10 of a ResNet-50."""
FEWEST = 8
UNDERSTOOD = 40.0
"""Decibels; the same to the bit on x86. Elsewhere one rounding may differ."""


def overflowing(request: EmulateOverflow, on_progress: OnProgress) -> Overflowed:
    """Emulated only where a pair of weights can overflow at all. Raises ArtifactError, DataError."""
    path = Path(request.path)
    counted = pairs(path)
    if counted is not None and not any(layer.at_risk for layer in counted):
        layers = tuple(LayerRisk(**asdict(layer), overflowed=0.0) for layer in counted)
        return Overflowed(
            advice(Int8Risk(artifact=request.file, n=0, top1=None, layers=layers, ways=(), advice=()))
            if layers
            else None
        )
    return _emulated(request, path, on_progress)


def _emulated(request: EmulateOverflow, path: Path, on_progress: OnProgress) -> Overflowed:
    emulation = Emulation(optimized(path))
    narrow = [layer for layer in emulation.layers if layer.layer.narrow]
    if not narrow:
        return Overflowed(None)
    rows = _chosen(request, stated_in_integers(path))
    at_risk = any(layer.at_risk for layer in narrow)
    ways, top1 = _ways(request, emulation, rows, on_progress) if at_risk else ((), None)
    layers = tuple(
        LayerRisk(
            layer=each.layer.name,
            pairs=sum(risk.pairs for risk in each.risks),
            at_risk=each.at_risk,
            worst=max(risk.worst for risk in each.risks),
            overflowed=float(each.overflowed / each.added) if each.added else 0.0,
        )
        for each in narrow
    )
    assessed = Int8Risk(
        artifact=request.file,
        n=len(rows) if at_risk else 0,
        top1=top1,
        layers=layers,
        ways=ways,
        advice=(),
        left_out=tuple(emulation.left_out),
    )
    return Overflowed(advice(assessed))


def _chosen(request: EmulateOverflow, macs: int) -> NDArray[np.int64]:
    """The images, evenly from all: as many as are asked for and affordable."""
    total = len(open_images(Path(request.images)))
    n = min(request.n, total, images_within(MACS, macs, FEWEST))
    return evenly(total, n)


def _ways(
    request: EmulateOverflow, emulation: Emulation, rows: NDArray[np.int64], on_progress: OnProgress
) -> tuple[tuple[Way, ...], float | None]:
    """Each way beside what is exact, and the top-1 of that."""
    images = open_images(Path(request.images))
    labels = None if request.labels is None else np.load(request.labels, allow_pickle=False)[rows]
    exact: list[NDArray[np.generic]] = []
    cut: list[NDArray[np.generic]] = []
    with open_session(Path(request.path), "cpu", 1) as session:
        fed = [_fed(images[row : row + 1], request, session.input) for row in rows]
        for image in tracked(fed, f"{request.file} without VNNI", len(fed), on_progress):
            exact.append(session.run(image))
            if len(exact) == 1:
                _check(emulation.run(image, cut=False), exact[0], session.output)
            cut.append(emulation.run(image))
        spec = session.output
    reduced = emulation.halved()
    seven = [reduced.run(image, cut=False) for image in fed]
    right = _real(exact, spec)
    head = seen(request.head, right)
    ways = (
        _way(AS_IT_COMES, _real(cut, spec), right, labels, head),
        _way(SEVEN_BITS, _real(seven, spec), right, labels, head),
    )
    return ways, None if labels is None else float((answers(head, right) == labels).mean())


def _check(emulated: NDArray[np.generic], exact: NDArray[np.generic], spec: TensorSpec) -> None:
    """Where no sum is cut off, the emulation is ONNX Runtime: else its graph was not understood, and no
    figure of it is reported. Raises ArtifactError."""
    measured, right = (dequantize(each, spec).astype(np.float64) for each in (emulated, exact))
    if sqnr_db(float(np.square(right).sum()), float(np.square(measured - right).sum())) < UNDERSTOOD:
        raise ArtifactError(
            "emulated with exact sums it does not give what ONNX Runtime gives: it has operations that are "
            "not understood"
        )


def _fed(images: NDArray[np.generic], request: EmulateOverflow, spec: TensorSpec) -> NDArray[np.generic]:
    return stored(
        images if request.preprocessing is None else preprocessed(images, request.preprocessing), spec
    )


def _real(outputs: list[NDArray[np.generic]], spec: TensorSpec) -> Outputs:
    return dequantize(np.concatenate(outputs), spec)


def _way(way: str, outputs: Outputs, exact: Outputs, labels: NDArray[np.int64] | None, head: Head) -> Way:
    table = tabulate(exact, outputs, labels, head)
    same, drop = table.n - table.changed, table.drop()
    apart = float(np.abs(outputs.astype(np.float64) - exact).max())
    return Way(
        way=way,
        agreement=same / table.n,
        agreement_ci95=wilson(same, table.n),
        max_abs=apart,
        top1=None if table.labelled is None else table.labelled.right / table.n,
        drop_pp=None if drop is None else drop.value,
        drop_ci95_pp=None if drop is None else (drop.low, drop.high),
    )
