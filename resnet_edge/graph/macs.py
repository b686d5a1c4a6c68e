"""What one inference of an artifact has to do (core/roofline.py): its multiply-accumulates and weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_edge.core.roofline import Work
from resnet_edge.graph.model import Graph, Node, read_graph

if TYPE_CHECKING:
    import onnx

FLOAT = frozenset({"float32", "float16"})
INTEGER_OPERATORS = frozenset(
    {"QLinearConv", "ConvInteger", "QLinearMatMul", "MatMulInteger", "QGemm", "DynamicQuantizeMatMul"}
)
MULTIPLYING = frozenset({"Conv", "Gemm", "MatMul", "FusedConv"}) | INTEGER_OPERATORS


def work_of(path: Path) -> Work:
    """Of a .tflite or .onnx file, for one image. Raises ArtifactError; ModuleNotFoundError where the
    package that reads it is not installed."""
    if path.suffix == ".tflite":
        return _of_tflite(read_graph(path))
    import onnx

    return _of_onnx(onnx.load(str(path), load_external_data=False))


def macs(graph: Graph, node: Node) -> int:
    """Multiply-accumulates of a node of a TFLite graph, for one image."""
    if node.op not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
        return 0
    kernel, output = (graph.tensors[i].shape for i in (node.inputs[1], node.outputs[0]))
    each = math.prod(size or 1 for size in (kernel[1:3] if node.op == "DEPTHWISE_CONV_2D" else kernel[1:]))
    return each * math.prod(size or 1 for size in output[1:])


def is_integer(graph: Graph, node: Node) -> bool:
    """Whether a node of a TFLite graph multiplies integers that the file states: both of its operands."""
    image, kernel = (graph.tensors[i].dtype for i in node.inputs[:2])
    return image not in FLOAT and kernel not in FLOAT


def stated_in_integers(path: Path) -> int:
    """Multiply-accumulates of a .tflite or .onnx file for one image whose operands are both integers, with
    grids of their own. Raises as `work_of`."""
    if path.suffix == ".tflite":
        graph = read_graph(path)
        return sum(macs(graph, node) for node in graph.nodes if macs(graph, node) and is_integer(graph, node))
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    return sum(count for _, count, integer in onnx_layers(model) if integer)


def _of_tflite(graph: Graph) -> Work:
    """A layer is integer where its weights are: with float activations these are quantized first. Weights
    in float16 come through a DEQUANTIZE and are multiplied as float32."""
    counted = {True: 0, False: 0}
    for node in graph.nodes:
        if count := macs(graph, node):
            counted[graph.tensors[node.inputs[1]].dtype in FLOAT] += count
    weights = sum(tensor.stored_bytes for tensor in graph.tensors)
    return Work(counted[True], counted[False], weights)


def onnx_layers(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, int, bool]]:
    """Each node with weights: its multiply-accumulates for one image, and whether it is integer: it is an
    integer operator, or both of its operands come from integers."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    makers = {name: node for node in graph.node for name in node.output}
    shapes = dict(_shapes([*graph.value_info, *graph.output]))
    sizes = {name: tuple(tensor.dims) for name, tensor in onnx_constants(graph)}
    for node in graph.node:
        if node.op_type in MULTIPLYING:
            weights = node.input[weights_at(node.op_type)]
            each = each_product(node, _size(weights, makers, sizes))
            integer = node.op_type in INTEGER_OPERATORS or all(
                dequantized(name, makers) is not None for name in (node.input[0], weights)
            )
            yield node, each * math.prod(shapes.get(node.output[0], (0, 0))[1:]), integer


def dequantized(name: str, makers: Mapping[str, onnx.NodeProto]) -> onnx.NodeProto | None:
    """The DequantizeLinear that a value comes from, transposed or not."""
    for maker in _upwards(name, makers):
        if maker.op_type != "Transpose":
            return maker if maker.op_type == "DequantizeLinear" else None
    return None


def _upwards(name: str, makers: Mapping[str, onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """The nodes that a value comes from by their first inputs, each once: a damaged graph may go round."""
    seen: set[str] = set()
    while name not in seen and (maker := makers.get(name)) is not None and maker.input:
        yield maker
        seen.add(name)
        name = maker.input[0]


def _of_onnx(model: onnx.ModelProto) -> Work:
    from onnx import helper

    counted = {True: 0, False: 0}
    for _, count, integer in onnx_layers(model):
        counted[integer] += count
    stored = sum(  # as declared: the data may lie in a file of its own
        math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        for _, tensor in onnx_constants(model.graph)
    )
    return Work(counted[False], counted[True], stored)


def onnx_constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Constants by name: initializers, and the Constant nodes that some writers make of weights."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant":
            yield from ((node.output[0], each.t) for each in node.attribute if each.name == "value")


def weights_at(kind: str) -> int:
    """Which operand of a node with weights holds them."""
    return 3 if kind in ("QLinearConv", "QLinearMatMul", "QGemm") else 1


def each_product(node: onnx.NodeProto, size: tuple[int, ...]) -> int:
    """Weights that go into one value of the output, by the `size` of the constant: of kernels (O, I, ...)
    all but the first axis; of a matrix the axis that is summed over."""
    if "Conv" in node.op_type:
        return math.prod(size[1:])
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return size[-1 if transposed else 0] if size else 0


def _size(name: str, makers: dict[str, onnx.NodeProto], sizes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of a constant, which may lie behind a DequantizeLinear or a Cast."""
    names = (name, *(maker.input[0] for maker in _upwards(name, makers)))
    return next((sizes[each] for each in names if each in sizes), ())


def _shapes(values: Iterable[onnx.ValueInfoProto]) -> Iterable[tuple[str, tuple[int, ...]]]:
    for value in values:
        yield value.name, tuple(size.dim_value or 1 for size in value.type.tensor_type.shape.dim)
