"""The portable graph as an ONNX model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

from resnet_edge import __version__
from resnet_edge.formats._onnx import (
    batches,
    convolution,
    elementwise,
    movement,
    pooling,
    products,
    reduction,
    resize,
    selection,
    shape,
    transposed_convolution,
)
from resnet_edge.formats._onnx.builder import LOWEST, NHWC, Builder, NotLowered
from resnet_edge.graph.model import Graph, Node, with_folded_casts

OPSET = 17
IR_VERSION = 8
"""What ONNX Runtime 1.14 (2023) and later read: nothing here needs a newer one."""

HANDLERS = {
    **batches.HANDLERS,
    **convolution.HANDLERS,
    **elementwise.HANDLERS,
    **movement.HANDLERS,
    **pooling.HANDLERS,
    **products.HANDLERS,
    **reduction.HANDLERS,
    **resize.HANDLERS,
    **selection.HANDLERS,
    **shape.HANDLERS,
    **transposed_convolution.HANDLERS,
}


def missing(graph: Graph) -> list[str]:
    """The operations of the graph that have no lowering."""
    graph = with_folded_casts(graph)
    return sorted({node.op for node in graph.nodes if not _measures(graph, node)} - HANDLERS.keys())


def lower(graph: Graph, real: str, name: str, *, channels_first: bool = False) -> onnx.ModelProto:
    """The graph as ONNX, computing in `real` ("float32" or "float16") where it is not quantized.

    Input and output keep name, shape (NHWC) and dtype of the portable graph; with `channels_first` an image
    comes in as NCHW, and the metadata says so. Raises NotLowered naming the operation.
    """
    graph = with_folded_casts(graph)
    builder = Builder(graph, real, channels_first=channels_first)
    _enter(builder)
    for node in graph.nodes:
        if not _measures(graph, node):
            _lower_node(builder, node)
    output = _leave(builder)
    nodes, used = _alive(builder.nodes, output.name)
    inputs = [_value_info(graph, graph.inputs[0], builder.entry_order(graph.inputs[0]))]
    initializers = [constant for constant in builder.initializers if constant.name in used]
    onnx_graph = helper.make_graph(nodes, name, inputs, [output], initializers)
    model = helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="resnet-edge",
        producer_version=__version__,
    )
    if channels_first:
        helper.set_model_props(model, {"layout": "NCHW"})
    onnx.checker.check_model(model)
    return model


def _measures(graph: Graph, node: Node) -> bool:
    """Whether the operation computes a shape, as before every reshape of a dynamic batch. The
    shapes that the tensors declare say the same."""
    return all(graph.tensors[index].dtype in ("int32", "int64") for index in node.outputs)


def _lower_node(builder: Builder, node: Node) -> None:
    handler = HANDLERS.get(node.op)
    if handler is None:
        raise NotLowered(f"the operation {node.op} has no lowering to ONNX")
    handler(builder, node)


def _enter(b: Builder) -> None:
    """Define the input in this layout: as real numbers, or from the integers that come in."""
    index = b.graph.inputs[0]
    tensor, raw = b.tensor(index), b.name(index)
    if tensor.dtype == "float32":
        value = b.entry(raw, index, raw)
        b.define_exact(index, b.cast(value, b.real) if b.real != np.float32 else value)
        return
    if tensor.quantization is None or tensor.dtype not in LOWEST:
        raise NotLowered(f"an input of type {tensor.dtype}")
    if tensor.dtype == "uint8":
        b.define_exact(index, b.entered(raw, index))
        return
    value = b.entry(raw, index, raw)
    real = b.dequantized(value, np.dtype(tensor.dtype), tensor.quantization, raw, None)
    b.define_exact(index, b.rounded(real, index))


def _leave(b: Builder) -> onnx.ValueInfoProto:
    """The output, under its name and in its dtype."""
    index = b.graph.outputs[0]
    tensor, value = b.tensor(index), b.value(index)
    if len(tensor.shape) == 4:
        value = b.node("Transpose", [value], tensor.name, perm=NHWC)
    if tensor.quantization is not None:
        scale = b.initializer(np.asarray(tensor.quantization.scale[0], np.float32), f"{tensor.name}_scale")
        zero = np.asarray(tensor.quantization.zero_point[0], tensor.dtype)
        value = b.node(
            "QuantizeLinear", [value, scale, b.initializer(zero, f"{tensor.name}_zero")], tensor.name
        )
    elif b.real != np.float32:
        value = b.cast(value, np.dtype(np.float32))
    b.nodes.append(helper.make_node("Identity", [value], [tensor.name], name=f"{tensor.name}/Identity"))
    return _value_info(b.graph, index, range(len(tensor.shape)))


def _value_info(graph: Graph, index: int, order: Sequence[int]) -> onnx.ValueInfoProto:
    tensor = graph.tensors[index]
    sizes = ["N" if tensor.shape[axis] is None else tensor.shape[axis] for axis in order]
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
    return helper.make_tensor_value_info(tensor.name, dtype, sizes)


def _alive(nodes: list[onnx.NodeProto], output: str) -> tuple[list[onnx.NodeProto], set[str]]:
    """The nodes that the output depends on, and every name that they read."""
    used = {output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if used.intersection(node.output):
            kept.append(node)
            used.update(node.input)
    return kept[::-1], used
