"""ONNX's older form of integer graphs (QLinearConv, and ONNX Runtime's own QGemm, QLinearAdd, …) in the newer
one, which is read: each operation on real numbers, between DequantizeLinear and QuantizeLinear.

Sources: https://onnx.ai/onnx/operators/onnx__QLinearConv.html; microsoft/onnxruntime,
docs/ContribOperators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from resnet_edge.diagnosis.layers.onnx_dynamic import without_dynamic_scales
from resnet_edge.diagnosis.layers.onnx_nodes import attributes, with_nodes
from resnet_edge.graph.macs import onnx_constants

ENDS = 3
"""A quantized tensor is three inputs: its name, its scale and its zero point."""
SAME_GRID = frozenset({"MaxPool", "Relu"})
"""They compute on the integers of such a graph as they are."""


def with_real_operations(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, or a copy in the newer form; tensors keep their names."""
    model = without_dynamic_scales(model)
    if not any(node.op_type in READERS for node in model.graph.node):
        return model
    rewriter = _Rewriter(model.graph)
    nodes = [replacement for node in model.graph.node for replacement in rewriter.rewritten(node)]
    return with_nodes(model, nodes, rewriter.added)


class _Rewriter:
    """The state while the nodes are gone through; `added` are new constants."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.constants = {name: numpy_helper.to_array(tensor) for name, tensor in onnx_constants(graph)}
        self.ends: dict[str, tuple[str, str]] = {}
        self.added: list[onnx.TensorProto] = []

    def rewritten(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        given, out = [*node.input], node.output[0]
        if node.op_type == "QuantizeLinear" and len(given) == ENDS:
            self.ends[out] = given[1], given[2]
            yield node
        elif node.op_type in READERS:
            yield from READERS[node.op_type](self, node)
        elif given and given[0] in self.ends:
            yield from self._on_integers(node)
        else:
            yield node

    def _on_integers(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        ends, out = self.ends[node.input[0]], node.output[0]
        if node.op_type in SAME_GRID:
            inner, more = self._real([node.input[0], *ends], f"{out}/given")
            yield from more
            yield helper.make_node(
                node.op_type, [inner, *node.input[1:]], [f"{out}/real"], **attributes(node)
            )
            yield self._quantized(f"{out}/real", ends, out)
            return
        if node.op_type != "DequantizeLinear":
            self.ends[out] = ends  # it moves them
        yield node

    def layer(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """QLinearConv, QLinearMatMul and QGemm: two quantized inputs, and a bias in steps of both."""
        given, out, options = [*node.input], node.output[0], attributes(node)
        gemm = node.op_type == "QGemm"
        bias = given[6:7] if gemm else given[8:9]
        ends = given[7:9] if gemm else given[6:8]
        image, before = self._real(given[:ENDS], f"{out}/given")
        yield from before
        axis = 0 if node.op_type == "QLinearConv" or options.get("transB") else 1
        kernel, more = self._real(given[ENDS : 2 * ENDS], f"{out}/kernel", axis)
        yield from more
        inputs = [image, kernel]
        if bias and bias[0]:
            step = self.constants[given[1]].astype(np.float64) * self.constants[given[4]].astype(np.float64)
            inputs.append(self._constant(f"{out}/bias", self.constants[bias[0]] * step.ravel()))
        kind = {"QLinearConv": "Conv", "QGemm": "Gemm", "QLinearMatMul": "MatMul"}[node.op_type]
        real = f"{out}/real" if len(ends) == 2 and ends[0] else out
        yield helper.make_node(kind, inputs, [real], **options)
        if real != out:
            yield self._quantized(real, (ends[0], ends[1]), out)

    def pairwise(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """QLinearAdd and QLinearMul."""
        given, out = [*node.input], node.output[0]
        inputs = []
        for number in range(2):
            name, more = self._real(given[ENDS * number : ENDS * (number + 1)], f"{out}/given{number}")
            yield from more
            inputs.append(name)
        yield helper.make_node(node.op_type.removeprefix("QLinear"), inputs, [f"{out}/real"])
        yield self._quantized(f"{out}/real", (given[6], given[7]), out)

    def single(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """QLinearGlobalAveragePool, QLinearAveragePool, QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax."""
        given, out, options = [*node.input], node.output[0], attributes(node)
        name, more = self._real(given[:ENDS], f"{out}/given")
        yield from more
        for unknown in ("channels_last", "opset"):
            options.pop(unknown, None)
        yield helper.make_node(node.op_type.removeprefix("QLinear"), [name], [f"{out}/real"], **options)
        yield self._quantized(f"{out}/real", (given[3], given[4]), out)

    def joined(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """QLinearConcat: the ends of what it gives, then each input with its own."""
        given, out, inputs = [*node.input], node.output[0], []
        for number, at in enumerate(range(2, len(given), ENDS)):
            name, more = self._real(given[at : at + ENDS], f"{out}/given{number}")
            yield from more
            inputs.append(name)
        yield helper.make_node("Concat", inputs, [f"{out}/real"], **attributes(node))
        yield self._quantized(f"{out}/real", (given[0], given[1]), out)

    def _real(self, given: list[str], out: str, axis: int = 0) -> tuple[str, list[onnx.NodeProto]]:
        return out, [helper.make_node("DequantizeLinear", given, [out], axis=axis)]

    def _quantized(self, real: str, ends: tuple[str, str], out: str) -> onnx.NodeProto:
        self.ends[out] = ends
        return helper.make_node("QuantizeLinear", [real, *ends], [out])

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.added.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name


Reader = Callable[[_Rewriter, onnx.NodeProto], Iterator[onnx.NodeProto]]
READERS: dict[str, Reader] = {
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QGemm"), _Rewriter.layer),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), _Rewriter.pairwise),
    "QLinearConcat": _Rewriter.joined,
    **dict.fromkeys(
        (
            "QLinearGlobalAveragePool",
            "QLinearAveragePool",
            "QLinearSigmoid",
            "QLinearLeakyRelu",
            "QLinearSoftmax",
        ),
        _Rewriter.single,
    ),
}
