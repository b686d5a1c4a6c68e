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
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    del found.graph.value_info[:]
    found.graph.node.extend(nodes)
    found.graph.initializer.extend(constants)
    return found
