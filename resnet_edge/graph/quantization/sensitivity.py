"""What each rounding of an int8 graph costs, alone, measured on the logits of a few images.

A quantization noise that is small goes through a network like a small change of its input, and
the noises of different places know nothing of each other: their powers add up. So the noise of
any mixture of int8 and float layers is the sum over the roundings that are left in it. On the
bundled ResNet-20 the sum foretells the SQNR of the int8 file within 0.3 dB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.answers import centred_scores
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import ABSENT, Graph, read_graph
from resnet_edge.graph.quantization.calibrate import Ranges
from resnet_edge.graph.quantization.grids import Grid, float_operations, grids, layer_of
from resnet_edge.graph.quantization.variants import RoundedVariants, rounded_kernel, rounded_operand
from resnet_edge.graph.quantization.weighted import adds_pairs

KERNELS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"})
WORTH_SPLITTING = 0.01
"""Share of all noise above which the readers of a grid are measured one by one."""
SQUASHING = frozenset({"SOFTMAX", "LOGISTIC"})
"""What makes probabilities of logits."""
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sensitivity:
    """Powers (sums of squares) on the logits (core.answers.centred_scores), over the images measured on.

    `constants` of an operation (by number, as in the float graph) being int8; `grids` when all
    that is on them is rounded; `readers`: when it is rounded for one of several readers only.
    """

    signal: float
    constants: dict[int, float]
    grids: dict[Grid, float]
    readers: dict[tuple[Grid, int], float]


def measure_sensitivity(
    exact: Path,
    repaired: Graph,
    quantized: Graph,
    ranges: Ranges,
    images: Sequence[NDArray[np.float32]],
    *,
    head: Head,
    threads: int,
    dense_scales: DenseScales = "per-tensor",
    on_progress: OnProgress = lambda done, total: None,
) -> Sensitivity:
    """Round one thing at a time in the float graph `exact`, as `quantized` rounds all of them.

    `repaired` is the float graph that `quantized` was made from: the same operations, whose
    constants may be fitted to being rounded (repairs.py). Each image is (1, H, W, C). Raises
    DataError where there is none.
    """
    if not len(images):
        raise DataError("there is no image to measure sensitivity on: give some with --calibration")
    graph = read_graph(exact)
    kept = float_operations(quantized)
    integer = [n for n, node in enumerate(graph.nodes) if layer_of(graph, node) not in kept]
    variants = RoundedVariants(exact, (logits_of(graph),))
    all_grids = grids(graph, integer)
    weighted = {n: rounded for n in integer if (rounded := _constants(graph, repaired, n, dense_scales))}
    total, done = 1 + len(weighted) + len(all_grids), 0

    def logits(content: bytes) -> NDArray[np.float64]:
        nonlocal done
        done += 1
        on_progress(min(done, total), total)
        return centred_scores(head, _run(content, images, threads))

    reference = logits(variants.plain())

    def noise(content: bytes) -> float:
        return float(np.square(logits(content) - reference).sum())

    constants = {n: noise(variants.with_constants(rounded)) for n, rounded in weighted.items()}
    limits = {grid: _limits(graph, grid, ranges) for grid in all_grids}
    whole = {grid: noise(variants.with_activations(limits[grid])) for grid in all_grids}
    least = WORTH_SPLITTING * (sum(constants.values()) + sum(whole.values()))
    readers = {
        (grid, n): noise(variants.with_activations(limits[grid], {n}))
        for grid in all_grids
        if len(grid.readers) > 1 and not grid.moves and whole[grid] >= least
        for n in sorted(grid.readers)
    }
    return Sensitivity(float(np.square(reference).sum()), constants, whole, readers)


def logits_of(graph: Graph) -> int:
    """The output, or what goes into the softmax or sigmoid that makes it."""
    last = next(node for node in graph.nodes if graph.outputs[0] in node.outputs)
    return last.inputs[0] if last.op in SQUASHING else graph.outputs[0]


def _constants(
    graph: Graph, repaired: Graph, number: int, dense_scales: DenseScales
) -> dict[int, NDArray[np.float32]]:
    """The float constants of an operation, by tensor of `graph`, as int8 holds those of `repaired`;
    int32 biases are as good as exact."""
    node, fitted = graph.nodes[number], repaired.nodes[number]
    rounded: dict[int, NDArray[np.float32]] = {}
    for place, index in enumerate(node.inputs):
        data = None if index == ABSENT else repaired.tensors[fitted.inputs[place]].data
        if data is None or data.dtype != np.float32 or data.size == 1:
            continue
        if node.op not in KERNELS:
            rounded[index] = rounded_operand(data)
        else:
            paired = adds_pairs(repaired, fitted)
            rounded[index] = data
            if place == 1:
                rounded[index] = rounded_kernel(data, node.op, paired=paired, dense_scales=dense_scales)
    return rounded


def _limits(graph: Graph, grid: Grid, ranges: Ranges) -> dict[int, tuple[float, float]]:
    """The range of the grid, for each of its roots."""
    known = [ranges[name] for i in grid.roots if (name := graph.tensors[i].name) in ranges]
    if not known:
        return {}
    hull = min(low for low, _ in known), max(high for _, high in known)
    return dict.fromkeys(grid.roots, hull)


def _run(content: bytes, images: Sequence[NDArray[np.float32]], threads: int) -> NDArray[np.float32]:
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    entry, end = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    rows = []
    for image in images:
        interpreter.set_tensor(entry, image)
        interpreter.invoke()
        rows.append(interpreter.get_tensor(end))
    return np.concatenate(rows)
