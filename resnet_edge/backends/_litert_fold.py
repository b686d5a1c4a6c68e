"""XNNPACK's operators put beside those of the .tflite file that they came from.

XNNPACK names an operator by its kernel and not by its layer. Both lists are in the order of
execution, so that walking along them in step finds the pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.profile import OperatorTime
from resnet_edge.graph.model import Graph, Node
from resnet_edge.graph.work import macs

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


def folded(graph: Graph, kinds: Sequence[str], microseconds: Sequence[float]) -> tuple[OperatorTime, ...]:
    """One entry for each operator that ran. One that belongs to no operator of the file (the clamp of
    an addition's activation, a conversion before a dynamically quantized layer) has no layer."""
    found, at = [], 0
    for kind, taken in zip(kinds, microseconds, strict=True):
        wanted = _wanted(kind)
        index = _next(graph, at, wanted)
        if index is None:
            found.append(OperatorTime("", kind, taken))
            continue
        node, at = graph.nodes[index], index + 1
        found.append(OperatorTime(layer_of(graph, node), kind, taken, macs(graph, node)))
    return tuple(found)


def layer_of(graph: Graph, node: Node) -> str:
    """The name of what a node computes: the converter lists all that it folded into one, and what an
    end of the graph converts is called <end>_inner."""
    return graph.tensors[node.outputs[0]].name.split(";")[0].removesuffix("_inner")


def _wanted(kind: str) -> set[str]:
    for beginning in sorted(XNNPACK, key=len, reverse=True):
        if kind.startswith(beginning):
            return XNNPACK[beginning]
    return {kind}  # a kernel of LiteRT itself has the operator's own name


def _next(graph: Graph, start: int, wanted: set[str]) -> int | None:
    """The next node of that kind; not beyond one that takes time, which has an entry of its own."""
    for index in range(start, len(graph.nodes)):
        if graph.nodes[index].op in wanted:
            return index
        if graph.nodes[index].op in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD"}:
            return None
    return None
