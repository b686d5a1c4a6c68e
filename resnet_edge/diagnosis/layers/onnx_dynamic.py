"""ONNX graphs that quantize activations anew for each image (ConvInteger, MatMulInteger) as graphs of rounded
weights alone: what an image's own scale rounds is no part of the file.

Source: https://onnx.ai/onnx/operators/onnx__ConvInteger.html, in the pattern of ONNX Runtime's
quantize_dynamic: DynamicQuantizeLinear, the product of both scales, and a Cast and a Mul behind the layer.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import helper

from resnet_edge.diagnosis.layers.onnx_nodes import attributes, with_nodes
from resnet_edge.graph.macs import onnx_constants

LAYERS = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}


def without_dynamic_scales(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, or a copy in real numbers; tensors keep their names."""
    if not any(node.op_type in LAYERS for node in model.graph.node):
        return model
    rewriter = _Rewriter(model.graph)
    return with_nodes(
        model, [replacement for node in model.graph.node for replacement in rewriter.rewritten(node)]
    )


class _Rewriter:
    """The state while the nodes are gone through, by the names of tensors: `images` that were quantized,
    their scales `own`, `products` of those with scales of weights, and the `layers` that wait for one."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.constants = {name for name, _ in onnx_constants(graph)}
        self.images: dict[str, str] = {}
        self.own: set[str] = set()
        self.products: dict[str, str] = {}
        self.layers: dict[str, onnx.NodeProto] = {}

    def rewritten(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        given, out = [*node.input], node.output[0]
        if node.op_type == "DynamicQuantizeLinear":
            self.images[out] = given[0]
            self.own.add(node.output[1])
        elif node.op_type in LAYERS and given[0] in self.images and given[1] in self.constants:
            self.layers[out] = node
        elif node.op_type == "Cast" and given[0] in self.layers:
            self.layers[out] = self.layers[given[0]]
        elif node.op_type == "Mul" and self.own.intersection(given) and self.constants.intersection(given):
            self.products[out] = next(name for name in given if name in self.constants)
        elif node.op_type == "Mul" and given[0] in self.layers and given[1] in self.products:
            yield from self._layer(self.layers[given[0]], self.products[given[1]], out)
        else:
            yield node

    def _layer(self, node: onnx.NodeProto, scale: str, out: str) -> Iterator[onnx.NodeProto]:
        image, kernel, zero = node.input[0], node.input[1], list(node.input[3:])
        axis = 0 if node.op_type == "ConvInteger" else 1
        yield helper.make_node("DequantizeLinear", [kernel, scale, *zero], [f"{out}/kernel"], axis=axis)
        given = [self.images[image], f"{out}/kernel"]
        yield helper.make_node(LAYERS[node.op_type], given, [out], **attributes(node))
