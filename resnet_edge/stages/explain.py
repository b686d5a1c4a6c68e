"""Runs in a worker. Where an artifact parts from the reference, and what is probably wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.explanation import Explanation, LayerFinding, LayerTrace
from resnet_edge.core.progress import Progress, Report
from resnet_edge.explanation.contradictions import contradictions
from resnet_edge.explanation.input_scale import folded_input_scale
from resnet_edge.explanation.layers import Network
from resnet_edge.explanation.onnx_layers import read_onnx
from resnet_edge.explanation.pairs import Pairs, alike, pair
from resnet_edge.explanation.tflite_layers import read_tflite
from resnet_edge.explanation.trace import (
    confirmed,
    first_divergence,
    more_operations,
    saturated,
    summed,
    traced,
    unknown_operations,
)
from resnet_edge.explanation.upheld import upheld
from resnet_edge.explanation.watched import watch_onnx, watch_tflite
from resnet_edge.stages._rows import evenly
from resnet_edge.stages.pixels import preprocessed
from resnet_edge.stages.predict import open_images
from resnet_edge.stages.verify_request import Explained, ExplainRequest

READERS = {"tflite": read_tflite, "onnx": read_onnx}
WATCHERS = {"tflite": watch_tflite, "onnx": watch_onnx}


def explain(request: ExplainRequest, report: Report) -> Explained:
    """The constants of every layer, and its activations where the file has integer grids, or where
    `thorough`. Raises ArtifactError."""
    report(Progress(f"layers of {request.file}", 0, 1))
    path = Path(request.path)
    theirs, ours = read_tflite(Path(request.portable)), READERS[request.format](path)
    reference, artifact = folded_input_scale(theirs, ours), folded_input_scale(ours, theirs)
    pairs = pair(reference, artifact)
    found, scales = contradictions(reference, artifact, pairs, request.scheme)
    trace: tuple[LayerTrace, ...] = ()
    remarks: tuple[str, ...] = ()
    n = 0
    if request.thorough or found or any(layer.grid is not None for layer in artifact.layers):
        images = _fed(_some(request), request)
        n = len(images)
        sums = summed(
            pairs,
            artifact,
            scales,
            watch_tflite(Path(request.portable), reference, images),
            WATCHERS[request.format](path, artifact, images),
        )
        found, remarks = upheld(found, reference, artifact, pairs, sums, request.scheme)
        found = confirmed(reference, artifact, pairs, scales, sums, found)
        cut = [one for one in saturated(reference, artifact, pairs, sums) if one.certain or request.thorough]
        found = _ordered([*found, *cut])
        trace = traced(reference, artifact, pairs, sums)
        if request.thorough and not found:
            first = first_divergence(reference, artifact, pairs, sums)
            found = [*unknown_operations(artifact, pairs), *([first] if first is not None else [])]
            if request.format == "tflite":
                found = [*more_operations(reference, artifact), *found]
    report(Progress(f"layers of {request.file}", 1, 1))
    remarks = (*_not_compared(reference, artifact, pairs), *remarks)
    weighted = [number for number, layer in enumerate(reference.layers) if layer.weights is not None]
    compared = sum(alike(reference, artifact, pairs, number) for number in weighted)
    return Explained(
        Explanation(request.file, n, len(weighted), compared, tuple(map(_readable, found)), trace, remarks)
    )


def _ordered(found: list[LayerFinding]) -> list[LayerFinding]:
    """By execution, but what explains all others first."""
    return sorted(found, key=lambda finding: (finding.cause != "stale", finding.order))


def _readable(finding: LayerFinding) -> LayerFinding:
    """TFLite names a tensor after all operations that were fused into it, the last of them first."""
    short = finding.layer.split(";")[0]
    return replace(
        finding, sentence=finding.sentence.replace(finding.layer, short) if short else finding.sentence
    )


def _some(request: ExplainRequest) -> NDArray[Any]:
    images = open_images(Path(request.images))
    rows = evenly(len(images), request.n)
    return np.asarray(images[rows])


def _fed(images: NDArray[Any], request: ExplainRequest) -> NDArray[Any]:
    if request.preprocessing is None:
        return images
    return preprocessed(images, request.preprocessing)


def _not_compared(reference: Network, artifact: Network, pairs: Pairs) -> Iterator[str]:
    weighted = [number for number, layer in enumerate(reference.layers) if layer.weights is not None]
    lost = sum(number not in pairs for number in weighted)
    if lost:
        yield f"{lost} of {len(weighted)} layers with weights have no counterpart and are not compared"
    other = sum(number in pairs and not alike(reference, artifact, pairs, number) for number in weighted)
    if other:
        yield f"{other} of {len(weighted)} layers have weights of another shape, which are not compared"
