"""Activation ranges of the portable graph, measured on representative data in one pass."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.graph.model import ABSENT, Graph, read_graph

Ranges = dict[str, tuple[float, float]]
KEEPING_ALL_TENSORS = "Warning: Enabling `experimental_preserve_all_tensors`"
"""How LiteRT begins its warning about the memory that this takes: here it is what we want."""


def measure_ranges(
    float_model: Path, images: Iterable[NDArray[np.float32]], *, takes_pixels: bool, threads: int
) -> Ranges:
    """The (min, max) of every activation of the float graph over `images` (each (1, H, W, C)).

    Memory is bounded by one image's activations. The ranges are plain minima and maxima, not
    a moving average, so the order of the images does not matter. Where the graph takes raw
    pixels its input range is 0 to 255 whatever the images show, so that the input scale is
    exactly 1. Raises DataError where there is no image, or where an activation is not finite.
    """
    graph = read_graph(float_model)
    interpreter = _keeping_all_tensors(float_model, threads)
    input_index = graph.inputs[0]
    watched = _activations(graph)
    low = np.full(len(watched), np.inf)
    high = np.full(len(watched), -np.inf)
    count = 0
    for image in images:
        count += 1
        interpreter.set_tensor(input_index, image)
        interpreter.invoke()
        for row, index in enumerate(watched):
            lowest, highest = _extremes(interpreter, index)
            # np.minimum keeps a NaN; min() would drop it.
            low[row], high[row] = np.minimum(low[row], lowest), np.maximum(high[row], highest)
    if count == 0:
        raise DataError("there is no calibration image: give some with --calibration")
    bad = ~(np.isfinite(low) & np.isfinite(high))
    if bad.any():
        name = graph.tensors[watched[int(bad.argmax())]].name
        raise DataError(
            f"the float model gives NaN or Inf at {name!r} on the calibration images: "
            "mend the model or the images"
        )
    ranges = {graph.tensors[i].name: (float(a), float(b)) for i, a, b in zip(watched, low, high, strict=True)}
    if takes_pixels:
        ranges[graph.tensors[input_index].name] = (0.0, 255.0)
    return ranges


def _keeping_all_tensors(float_model: Path, threads: int) -> Interpreter:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KEEPING_ALL_TENSORS)
        interpreter = Interpreter(
            str(float_model), num_threads=threads, experimental_preserve_all_tensors=True
        )
    interpreter.allocate_tensors()
    return interpreter


def _extremes(interpreter: Interpreter, index: int) -> tuple[np.float32, np.float32]:
    """Minimum and maximum of one tensor, read in place: the view must not outlive this call,
    or the interpreter refuses its next run."""
    values = interpreter.tensor(index)()
    return values.min(), values.max()


def _activations(graph: Graph) -> list[int]:
    """Every float tensor that is not a constant, in order of first use."""
    seen = dict.fromkeys(graph.inputs)
    for node in graph.nodes:
        seen.update(dict.fromkeys(i for i in (*node.inputs, *node.outputs) if i != ABSENT))
    return [i for i in seen if graph.tensors[i].data is None and graph.tensors[i].dtype == "float32"]
