"""The oldest release of each runtime for an .onnx file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx

from resnet_edge.compatibility import onnxruntime, opencv, tensorrt
from resnet_edge.compatibility.onnx_operation import ONNX_DOMAINS, OnnxOperation
from resnet_edge.compatibility.onnx_values import Values
from resnet_edge.core.minimum import RuntimeMinimum


def minimums(model: onnx.ModelProto) -> tuple[RuntimeMinimum, ...]:
    """Of a file, its subgraphs and the functions that it defines. Raises whatever a damaged one leads to."""
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    main = list(_nodes(model.graph.node))
    inside = [node for each in model.functions for node in _nodes(each.node)]
    nodes = [*main, *inside]
    own = frozenset((each.domain, each.name) for each in model.functions)
    values, opset = Values(model), max(opsets.get(domain, 0) for domain in ONNX_DOMAINS)
    unknown = Values(onnx.ModelProto())  # a function's names are its own
    operations = [
        OnnxOperation(node=node, opset=opset, values=known)
        for known, some in ((values, main), (unknown, inside))
        for node in some
        if (node.domain, node.op_type) not in own
    ]
    return (
        onnxruntime.of_onnx(opsets, model.ir_version, operations),
        opencv.minimum(model),
        tensorrt.minimum(model, values, nodes, own),
    )


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes(graph.node)
