"""Whether sums of two products of an ONNX file can overflow 16 bits, from its weights alone.

The bound is that of quantization/pair_bound.py. Every file is read as it stands, with pairs of
Q and DQ or with integer operations, in milliseconds: it need not be opened by a runtime. Needs the package
onnx and nothing heavier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from resnet_edge.graph.quantization.pair_bound import BRIGHTEST, LEAST_SUM, MOST_SUM, overflowing_pairs

WEIGHTS_AT = {
    "Conv": 1,
    "Gemm": 1,
    "MatMul": 1,
    "ConvInteger": 1,
    "MatMulInteger": 1,
    "DynamicQuantizeMatMul": 1,
    "MatMulIntegerToFloat": 1,
    "QLinearConv": 3,
    "QLinearMatMul": 3,
    "QGemm": 3,
}
"""Operations that multiply, and which of their inputs the weights are."""
INTEGER_ACTIVATIONS = frozenset({"QuantizeLinear", "DynamicQuantizeLinear"} | WEIGHTS_AT.keys()) - {
    "Conv",
    "Gemm",
    "MatMul",
}
"""Without one of these, weights are only stored in int8."""
ELEMENTWISE = frozenset({"Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu", "QLinearAdd", "QLinearMul"})
"""Operations that may read a constant in int8 and add no products."""


@dataclass(frozen=True, kw_only=True)
class LayerPairs:
    """One layer: of its `pairs` of neighbouring weights, `at_risk` can overflow; `worst` is the largest sum
    that they allow, as a multiple of what 16 bits hold."""

    layer: str
    pairs: int
    at_risk: int
    worst: float


def layer_name(node: onnx.NodeProto) -> str:
    """The layer of a node, which our writer names <layer>/<operation>; ONNX Runtime numbers what it fuses."""
    name = (node.name or node.output[0]).partition("_token_")[0]
    for operation in ("Conv", "Gemm", "MatMul"):
        name = name.removesuffix(f"/{operation}")
    return name


def is_depthwise(kernel: tuple[int, ...], groups: int) -> bool:
    """Whether a kernel (O, I, ...) has one channel in and one out for each group: ONNX Runtime has kernels
    for it that add in 32 bits."""
    return len(kernel) > 2 and kernel[:2] == (groups, 1)


def layer_pairs(model: onnx.ModelProto) -> tuple[LayerPairs, ...] | None:
    """The layers whose weights are int8 and whose products may be added in pairs, in the file's order. None
    where the file does not tell by itself: int8 weights are computed, or read by something else."""
    graph = model.graph
    if not any(node.op_type in INTEGER_ACTIVATIONS for node in graph.node):
        return ()
    constants = {each.name: each for each in graph.initializer}
    constants |= {node.output[0]: node.attribute[0].t for node in graph.node if _is_constant(node)}
    stored, read = _int8(graph, constants)
    if not _all_constant(graph, stored, read):
        return None
    layers = (_layer(node, read, constants) for node in graph.node if node.op_type in WEIGHTS_AT)
    return tuple(layer for layer in layers if layer is not None)


def can_overflow(model: onnx.ModelProto) -> bool:
    """Whether x86 without VNNI may give other answers than other processors; True where it is not known."""
    layers = layer_pairs(model)
    return layers is None or any(layer.at_risk for layer in layers)


def _is_constant(node: onnx.NodeProto) -> bool:
    return node.op_type == "Constant" and bool(node.attribute) and node.attribute[0].HasField("t")


def _int8(
    graph: onnx.GraphProto, constants: Mapping[str, onnx.TensorProto]
) -> tuple[set[str], dict[str, str]]:
    """Constants of int8 with more than one axis; and by the names under which they are read, behind a
    DequantizeLinear or not, those constants."""
    kernels = {name for name, each in constants.items() if each.data_type == 3 and len(each.dims) > 1}
    read = {name: name for name in kernels}
    read |= {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in kernels
    }
    return kernels, read


def _all_constant(graph: onnx.GraphProto, stored: set[str], read: Mapping[str, str]) -> bool:
    """Whether all int8 weights of the graph are constants that a known operation reads."""
    names = {each.name for each in graph.initializer}
    for node in graph.node:
        if any(each.HasField("g") or each.graphs for each in node.attribute):
            return False
        if node.op_type == "QuantizeLinear" and node.input[0] in names:
            return False
        if node.op_type in ELEMENTWISE or (node.op_type == "DequantizeLinear" and node.input[0] in stored):
            continue
        place = WEIGHTS_AT.get(node.op_type, -1)
        if any(name in read and number != place for number, name in enumerate(node.input)):
            return False
    return True


def _layer(
    node: onnx.NodeProto, read: Mapping[str, str], constants: Mapping[str, onnx.TensorProto]
) -> LayerPairs | None:
    name = node.input[WEIGHTS_AT[node.op_type]]
    if name not in read:
        return None
    stored = numpy_helper.to_array(constants[read[name]])
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    if node.op_type.endswith(("Conv", "ConvInteger")) and is_depthwise(
        stored.shape, attributes.get("group", 1)
    ):
        return None
    return _counted(layer_name(node), np.concatenate([*_rows(node, stored, attributes)]))


def _rows(
    node: onnx.NodeProto, stored: NDArray[Any], attributes: Mapping[str, Any]
) -> Iterator[NDArray[np.int16]]:
    """Rows (O, K) of int8 weights in the order in which they are added, of one matrix after the other."""
    weights = stored.astype(np.int16)
    if "Conv" in node.op_type:
        yield np.moveaxis(weights, 1, -1).reshape(len(weights), -1)
        return
    across = weights if attributes.get("transB") else np.swapaxes(weights, -1, -2)
    yield from across.reshape(-1, *across.shape[-2:])


def _counted(name: str, rows: NDArray[np.int16]) -> LayerPairs:
    even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2))).astype(np.int32)
    first, second = even[:, 0::2], even[:, 1::2]
    high = BRIGHTEST * int((np.maximum(first, 0) + np.maximum(second, 0)).max(initial=0))
    low = BRIGHTEST * int((np.minimum(first, 0) + np.minimum(second, 0)).min(initial=0))
    return LayerPairs(
        layer=name,
        pairs=first.size,
        at_risk=int(np.count_nonzero(overflowing_pairs(rows))),
        worst=max(high / MOST_SUM, low / LEAST_SUM),
    )
