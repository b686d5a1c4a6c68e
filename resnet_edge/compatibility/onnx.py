"""The oldest release of each runtime for an .onnx file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx
from onnx import TensorProto

from resnet_edge.compatibility import onnxruntime, opencv, tensorrt
from resnet_edge.core.minimum import RuntimeMinimum


def minimums(model: onnx.ModelProto) -> tuple[RuntimeMinimum, ...]:
    """Of a file, its subgraphs and the functions that it defines. Raises whatever a damaged one leads to."""
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    nodes = [*_nodes(model.graph.node), *(node for each in model.functions for node in _nodes(each.node))]
    own = frozenset((each.domain, each.name) for each in model.functions)
    ops = {(node.domain, node.op_type) for node in nodes} - own
    if any(_signed(node, model.graph.initializer) for node in nodes):
        ops.add(("", onnxruntime.SIGNED_CONV_INTEGER))
    return (
        onnxruntime.of_onnx(opsets, model.ir_version, ops),
        opencv.minimum(model),
        tensorrt.minimum(model, nodes, own),
    )


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes(graph.node)


def _signed(node: onnx.NodeProto, constants: Iterable[TensorProto]) -> bool:
    """Whether it is a ConvInteger with int8 weights."""
    if node.op_type != "ConvInteger" or len(node.input) < 2:
        return False
    types = {constant.name: constant.data_type for constant in constants}
    return types.get(node.input[1]) == TensorProto.INT8
