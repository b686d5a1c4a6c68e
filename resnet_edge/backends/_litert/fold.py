"""XNNPACK's operators put beside those of the .tflite file that they came from.

XNNPACK names an operator by its kernel and not by its layer. Both lists are in the order of execution, but
XNNPACK fuses some of the file's operators, adds some of its own, and puts off those that it leaves to LiteRT:
the pairs are those of the alignment that keeps most of the multiplying operators, and then most of all.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.profile import OperatorTime
from resnet_edge.graph.macs import macs
from resnet_edge.graph.model import Graph, Node

XNNPACK = {
    "Convolution": {"CONV_2D", "DEPTHWISE_CONV_2D"},
    "Deconvolution": {"TRANSPOSE_CONV"},
    "Fully Connected": {"FULLY_CONNECTED", "CONV_2D"},  # of a kernel of 1 x 1
    "Batch Matrix Multiply": {"BATCH_MATMUL"},
    "Dynamic Fully Connected": {"FULLY_CONNECTED", "CONV_2D"},
    "Space To Depth": {"SPACE_TO_DEPTH"},
    "Add": {"ADD"},
    "Subtract": {"SUB"},
    "Multiply": {"MUL"},
    "Mean": {"MEAN"},
    "Global Average Pooling": {"MEAN", "AVERAGE_POOL_2D"},
    "Average Pooling": {"AVERAGE_POOL_2D"},
    "Max Pooling": {"MAX_POOL_2D"},
    "Constant Pad": {"PAD", "PADV2"},
    "Softmax": {"SOFTMAX"},
    "Static Reshape": {"RESHAPE", "SQUEEZE", "EXPAND_DIMS"},
    "Copy": {"RESHAPE", "CONCATENATION"},
    "Convert": {"QUANTIZE", "DEQUANTIZE", "CAST"},
    "Clamp": {"RELU", "RELU6", "RELU_N1_TO_1"},
}
"""What an XNNPACK operator's name begins with, and the operators of the file that become one."""


AS_MATRIX = ("Fully Connected", "Dynamic Fully Connected")
"""Of convolutions those of a kernel of 1 x 1."""
HEAVY = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"}
"""An alignment loses none of these for the sake of others."""
HEAVY_WORTH = 1000


def folded(graph: Graph, kinds: Sequence[str], microseconds: Sequence[float]) -> tuple[OperatorTime, ...]:
    """One entry for each operator that ran. One that belongs to no operator of the file (the clamp of
    an addition's activation, a conversion before a dynamically quantized layer) has no layer."""
    pairs = _aligned(graph, kinds)
    left = [index for index in range(len(graph.nodes)) if index not in pairs.values()]
    for event, kind in enumerate(kinds):  # what LiteRT ran itself, later than the file has it
        if (
            event not in pairs
            and (late := next((i for i in left if graph.nodes[i].op == kind), None)) is not None
        ):
            pairs[event] = late
            left.remove(late)
    times = []
    for event, (kind, taken) in enumerate(zip(kinds, microseconds, strict=True)):
        node = graph.nodes[pairs[event]] if event in pairs else None
        if node is None:
            times.append(OperatorTime("", kind, taken))
        else:
            times.append(OperatorTime(layer_of(graph, node), kind, taken, macs(graph, node)))
    return tuple(times)


def _aligned(graph: Graph, kinds: Sequence[str]) -> dict[int, int]:
    """The node of each event, both in order: the heaviest common subsequence (Needleman and Wunsch, 1970)."""
    nodes, worth = graph.nodes, [[0] * (len(graph.nodes) + 1) for _ in range(len(kinds) + 1)]
    for event in range(len(kinds) - 1, -1, -1):
        for index in range(len(nodes) - 1, -1, -1):
            best = max(worth[event + 1][index], worth[event][index + 1])
            if own := _worth(graph, kinds[event], nodes[index]):
                best = max(best, own + worth[event + 1][index + 1])
            worth[event][index] = best
    pairs, event, index = {}, 0, 0
    while event < len(kinds) and index < len(nodes):
        own = _worth(graph, kinds[event], nodes[index])
        if own and worth[event][index] == own + worth[event + 1][index + 1]:
            pairs[event] = index
            event, index = event + 1, index + 1
        elif worth[event][index] == worth[event + 1][index]:
            event += 1
        else:
            index += 1
    return pairs


def _worth(graph: Graph, kind: str, node: Node) -> int:
    """What it is worth to pair them; 0 where they cannot be a pair."""
    if node.op not in _wanted(kind):
        return 0
    kernel = graph.tensors[node.inputs[1]].shape[1:3] if node.op == "CONV_2D" else ()
    if kind.startswith(AS_MATRIX) and any(size != 1 for size in kernel):
        return 0
    return HEAVY_WORTH if node.op in HEAVY else 1


def layer_of(graph: Graph, node: Node) -> str:
    """The name of what a node computes: the converter lists all that it folded into one, and what an
    end of the graph converts is called <end>_inner."""
    return graph.tensors[node.outputs[0]].name.split(";")[0].removesuffix("_inner")


def _wanted(kind: str) -> set[str]:
    for beginning in sorted(XNNPACK, key=len, reverse=True):
        if kind.startswith(beginning):
            return XNNPACK[beginning]
    return {kind}  # a kernel of LiteRT itself has the operator's own name
