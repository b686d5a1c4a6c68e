"""Scales for int8 additions on which all runtimes round alike.

LiteRT (XNNPACK) adds in fixed point with multipliers of 21 bits and rounds halves up; ONNX
Runtime adds in float and rounds halves to even. They differ where a sum lies within about
1e-4 steps of a half: a handful of the 65,536 pairs of stored values. In a residual network
one such pair is enough, since every later layer passes the difference on: on the bundled
ResNet-20 a single pair, seen in 1.5 % of the images, cost 0.9 % of the logits.

The output scale of an addition is free, so it is widened by a few millionths until no pair
is near a half. Convolutions need no such care: both runtimes multiply an int32 by the same
float32 and round halves to even.

Sources: XNNPACK src/microparams-init.c, xnn_init_qs8_add_minmax_scalar_params; ONNX Runtime
onnxruntime/core/mlas/lib/qladd.cpp, MlasQLinearAddKernelHelper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization
from resnet_edge.graph.model import Graph, Node
from resnet_edge.graph.quantization.calibrate import Ranges

MARGIN = 2e-5
"""How far from a half a sum must lie, in steps of the output: above what float32 can err by
on sums up to 255, whatever the order of its operations."""
STEP = 3e-6
TRIES = 1500
"""At most 0.45 % is added to a range; most additions need less than 0.1 %."""

MOST_RATIO = 2.0**8
"""Where an operand's scale is as many times that of the sum, XNNPACK does not add: other kernels do, which
round in another way (XNNPACK src/operators/binary-elementwise-nd.c, xnn_create_add_nd_qs8)."""

STORED: NDArray[np.int64] = np.arange(-128, 128, dtype=np.int64)


def aligned_ranges(quantized: Graph, ranges: Ranges) -> Ranges:
    """`ranges` with the outputs of int8 additions widened so that runtimes agree.

    `quantized` is the int8 graph that `ranges` gave; its zero points stay as they are. An
    addition for which no scale is found keeps its range (`unsettled` tells which).
    """
    aligned = dict(ranges)
    scales = _scales(quantized)
    for node in _additions(quantized):
        name = quantized.tensors[node.outputs[0]].name
        if name not in ranges:
            continue
        low, high = ranges[name]
        for factor in 1 + STEP * np.arange(TRIES):
            scales[node.outputs[0]] = scale_of(low * factor, high * factor)
            if not _unsettled_pairs(quantized, node, scales):
                aligned[name] = (float(low * factor), float(high * factor))
                break
        else:
            scales[node.outputs[0]] = scale_of(low, high)
    return aligned


def unsettled(quantized: Graph) -> tuple[str, ...]:
    """The names of int8 additions with pairs on which runtimes may differ by one step."""
    scales = _scales(quantized)
    return tuple(
        quantized.tensors[node.outputs[0]].name.split(";")[0]
        for node in _additions(quantized)
        if _unsettled_pairs(quantized, node, scales)
    )


def scale_of(low: float, high: float) -> float:
    """The int8 scale of a range, in float32 as litert-quantizer computes it; 0 is always inside."""
    span = np.maximum(np.float32(high), np.float32(0)) - np.minimum(np.float32(low), np.float32(0))
    return float(span / np.float32(255))


def _scales(graph: Graph) -> dict[int, float]:
    return {i: t.quantization.scale[0] for i, t in enumerate(graph.tensors) if t.quantization is not None}


def _additions(graph: Graph) -> Iterator[Node]:
    """The int8 additions, in order: of two activations, or of one and a constant (the shift of
    a batch normalization that stands alone)."""
    for node in graph.nodes:
        tensors = [graph.tensors[index] for index in (*node.inputs, *node.outputs)]
        if node.op == "ADD" and all(t.dtype == "int8" and t.quantization for t in tensors):
            yield node


def _unsettled_pairs(graph: Graph, node: Node, scales: dict[int, float]) -> int:
    zero_points = [_quantization(graph, i).zero_point[0] for i in (*node.inputs, *node.outputs)]
    a, b, out = (np.float32(scales[i]) for i in (*node.inputs, *node.outputs))
    ratios = np.float32(a / out), np.float32(b / out)
    first, second = (_stored(graph, index) for index in node.inputs)
    if max(ratios) >= MOST_RATIO:
        return len(first) * len(second)
    fixed, exact = sums(ratios, zero_points[:2], (first, second))
    inside = (exact + zero_points[2] > -128.5 - MARGIN) & (exact + zero_points[2] < 127.5 + MARGIN)
    near = np.abs(exact - np.floor(exact) - 0.5) < MARGIN
    return int(np.count_nonzero(inside & (near | (fixed != np.rint(exact)))))


def _stored(graph: Graph, index: int) -> NDArray[np.int64]:
    """The values that an operand can have: any, or those of the constant."""
    data = graph.tensors[index].data
    return STORED if data is None else np.unique(data).astype(np.int64)


def sums(
    ratios: tuple[np.float32, np.float32],
    zero_points: Sequence[int],
    stored: tuple[NDArray[np.int64], NDArray[np.int64]] = (STORED, STORED),
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Every sum of two `stored` int8 values in steps of the output, without its zero point: as
    XNNPACK rounds it, and exactly. `ratios` are the scales of the operands over that of the
    output. Both results have the first operand along the rows: (256, 256) for all values."""
    exponent = int(np.floor(np.log2(max(ratios))))
    shift = 20 - exponent
    multipliers = [int(np.rint(np.float64(ratio) * 2.0**shift)) for ratio in ratios]
    rows, columns = (values - zero for values, zero in zip(stored, zero_points, strict=True))
    total = rows[:, None] * multipliers[0] + columns * multipliers[1]
    fixed = (total + (1 << (shift - 1))) >> shift
    exact = rows[:, None] * np.float64(ratios[0]) + columns * np.float64(ratios[1])
    return fixed, exact


def _quantization(graph: Graph, index: int) -> Quantization:
    quantization = graph.tensors[index].quantization
    assert quantization is not None  # _additions yields no other
    return quantization
