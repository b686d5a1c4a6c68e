"""Runs in a worker. Which layers of an int8 graph to leave in float, by what their rounding costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from resnet_edge.calibrate.calibration import read_ranges
from resnet_edge.conversion.mixed_precision_task import Choices, ChooseFloatLayers, FloatChoice
from resnet_edge.core.affordable import images_within
from resnet_edge.data.image_file import open_images
from resnet_edge.data.rows import evenly
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.float_layers import choices, macs_of
from resnet_edge.graph.quantization.grids import grids, layer_of
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.sensitivity import measure_sensitivity
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.progress import OnProgress, Progress

MOST, LEAST = 64, 4
"""Images to measure on. Four already foretell the SQNR of a ResNet-50 within 0.2 dB: a sum over
many values varies little from image to image."""
WORK = 16_000_000_000
"""Multiply-accumulates of one float run over all of them, within those limits: a graph of n layers
is run about 2 n times."""


def choose(request: ChooseFloatLayers, on_progress: OnProgress) -> Choices:
    """Measure on some of the images, and say what to try. Raises DataError, ArtifactError."""
    exact, repaired = Path(request.exact), Path(request.repaired)
    scheme = replace(scheme_of(request.scheme), dense_scales=request.dense_scales)
    ranges = read_ranges(Path(request.ranges), scheme.activations)
    plain = Path(request.folder) / "plain.tflite"
    quantize(repaired, scheme, ranges, plain)
    graph = read_graph(exact)
    images = open_images(Path(request.images))
    rows = evenly(len(images), _affordable(graph))
    sensitivity = measure_sensitivity(
        exact,
        read_graph(repaired),
        read_graph(plain),
        ranges,
        [np.asarray(images[row : row + 1], np.float32) for row in rows],
        head=request.head,
        threads=request.threads,
        dense_scales=request.dense_scales,
        on_progress=lambda done, total: on_progress(
            Progress(step="what each layer costs", done=done, total=total)
        ),
    )
    chosen = choices(graph, sensitivity, _at_the_border(graph) if request.io != "float32" else ())
    return Choices(
        tuple(FloatChoice(c.float_layers, c.int8_macs, c.expected_sqnr_db) for c in chosen), len(rows)
    )


def _affordable(graph: Graph) -> int:
    work = sum(macs_of(graph, node) for node in graph.nodes)
    return images_within(WORK, work, LEAST, MOST)


def _at_the_border(graph: Graph) -> set[str]:
    """The layers that read the image or make the output: with an integer border they have integers
    on that side."""
    numbers: set[int] = set()
    for grid in grids(graph, range(len(graph.nodes))):
        if graph.inputs[0] in grid.roots:
            numbers |= grid.readers
        if not grid.readers:
            numbers |= grid.makers
    return {layer_of(graph, graph.nodes[number]) for number in numbers}
