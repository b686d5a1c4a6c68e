"""ONNX nodes: what they say of themselves, and models with other nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """By name."""
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def with_nodes(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto], constants: Iterable[onnx.TensorProto] = ()
) -> onnx.ModelProto:
    """A copy with other nodes, and more constants; what was inferred of tensors is gone."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    del copied.graph.node[:]
    del copied.graph.value_info[:]
    copied.graph.node.extend(nodes)
    copied.graph.initializer.extend(constants)
    return copied


def in_order(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, or a copy in which each node comes after those that it reads: ONNX Runtime asks for no order
    (onnx.checker does), and float16 converters put casts last."""
    waiting, pending = [*model.graph.node], {name for node in model.graph.node for name in node.output}
    ordered: list[onnx.NodeProto] = []
    while waiting:
        left: list[onnx.NodeProto] = []
        for node in waiting:
            if pending.intersection(node.input):
                left.append(node)
            else:
                ordered.append(node)
                pending.difference_update(node.output)
        if len(left) == len(waiting):
            raise ValueError("its nodes form a circle")
        waiting = left
    return model if ordered == [*model.graph.node] else with_nodes(model, ordered)
