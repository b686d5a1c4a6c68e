"""The state of one lowering: which ONNX value stands for which tensor of the portable graph.

Layout: a rank-4 tensor is NHWC in the portable graph and NCHW here; the input is transposed
once, where it enters. Other ranks keep their order.

Quantization: every operation is written in real numbers. A quantized activation becomes
QuantizeLinear + DequantizeLinear around its real value, uint8 (the int8 of the portable graph
shifted by 128, the same real numbers): that is the pattern which ONNX Runtime fuses into
QLinearConv, QLinearAdd and QGemm, with the kernel that x86 is fast in (pitfalls: U8S8). A
quantized constant keeps its integers behind one DequantizeLinear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import Graph, Tensor

NCHW = (0, 3, 1, 2)
NHWC = (0, 2, 3, 1)
LOWEST = {"int8": -128, "uint8": 0}
"""The stored value of the portable graph that is stored as 0 here."""


class NotLowered(ArtifactError):
    """The portable graph has an operation, or a use of one, that is not lowered to ONNX."""


class Builder:
    """Collects ONNX nodes and initializers while the operations are lowered in order."""

    def __init__(self, graph: Graph, real: str) -> None:
        self.graph = graph
        self.real = np.dtype(real)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.padded: dict[int, tuple[int, tuple[int, int, int, int]]] = {}
        self._values: dict[int, str] = {}
        self._names: set[str] = set()

    # -- reading ---------------------------------------------------------------------------

    def tensor(self, index: int) -> Tensor:
        """The tensor of the portable graph."""
        return self.graph.tensors[index]

    def name(self, index: int) -> str:
        """Its name. The converter chains the names "a;b;c" of what it fused: the first will do."""
        return self.tensor(index).name.split(";")[0]

    def shape(self, index: int) -> tuple[int | None, ...]:
        """Its shape, NHWC."""
        return self.tensor(index).shape

    def constant(self, index: int) -> NDArray[Any]:
        """The stored numbers of a constant. Raises NotLowered if it is computed."""
        data = self.tensor(index).data
        if data is None:
            raise NotLowered(f"{self.tensor(index).name!r} must be a constant")
        return data

    def is_constant(self, index: int) -> bool:
        """Whether the tensor is a constant."""
        return self.tensor(index).data is not None

    def readers(self, index: int) -> list[Any]:
        """The operations that read the tensor."""
        return [node for node in self.graph.nodes if index in node.inputs]

    def value(self, index: int) -> str:
        """The ONNX value that holds the real numbers of the tensor."""
        if index not in self._values:
            if not self.is_constant(index):
                raise NotLowered(f"{self.tensor(index).name!r} is used before it is made")
            self._values[index] = self.stored_constant(index, self._as_here(self.constant(index)))
        return self._values[index]

    # -- writing ---------------------------------------------------------------------------

    def node(self, op: str, inputs: Sequence[str], hint: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = self._unique(f"{hint}/{op}")
        made = helper.make_node(op, list(inputs), [name], name=name, domain=domain, **attributes)
        self.nodes.append(made)
        return name

    def initializer(self, data: NDArray[Any], hint: str) -> str:
        """Add a constant and return its name. A scalar stays a scalar: with scales of shape (1,) ONNX
        Runtime does not fuse Add."""
        name = self._unique(hint)
        self.initializers.append(numpy_helper.from_array(np.array(data, order="C"), name))
        return name

    def number(self, data: Any, hint: str) -> str:
        """A constant in the dtype of the computation."""
        return self.initializer(np.asarray(data, self.real), hint)

    def stored_constant(self, index: int, data: NDArray[Any], axis: int | None = None) -> str:
        """A constant of the portable graph, as `data` (already in this layout): its integers
        behind a DequantizeLinear if it is quantized (channels along `axis`), else real."""
        tensor = self.tensor(index)
        if tensor.quantization is None:
            return self.initializer(data.astype(self.real) if data.dtype.kind == "f" else data, self.name(index))
        stored = self.initializer(data, self.name(index))
        return self.dequantized(stored, data.dtype, tensor.quantization, self.name(index), axis)

    def define(self, index: int, real_value: str) -> None:
        """The tensor's real numbers are `real_value`, rounded to its grid if it is quantized."""
        self._values[index] = self.rounded(real_value, index)

    def define_exact(self, index: int, value: str) -> None:
        """The tensor is `value`, which is on its grid already."""
        self._values[index] = value

    def rounded(self, real_value: str, index: int) -> str:
        """Real numbers rounded to the grid of the tensor `index`; as they are if it is real."""
        if self.tensor(index).quantization is None:
            return real_value
        hint = self.name(index)
        stored = self.node("QuantizeLinear", [real_value, *self.grid(index)], hint)
        return self.node("DequantizeLinear", [stored, *self.grid(index)], hint)

    def grid(self, index: int) -> tuple[str, str]:
        """Scale and zero point of a quantized activation, as uint8."""
        tensor, hint = self.tensor(index), self.name(index)
        quantization = tensor.quantization
        if quantization is None or quantization.axis is not None or tensor.dtype not in LOWEST:
            raise NotLowered(f"activation {hint!r} is {tensor.dtype}, not int8 or uint8 per tensor")
        zero = quantization.zero_point[0] - LOWEST[tensor.dtype]
        scale = self.initializer(np.asarray(quantization.scale[0], np.float32), f"{hint}_scale")
        return scale, self.initializer(np.asarray(zero, np.uint8), f"{hint}_zero_point")

    def dequantized(
        self, stored: str, dtype: np.dtype[Any], quantization: Quantization, hint: str, axis: int | None
    ) -> str:
        """DequantizeLinear of integers that are stored as they are."""
        per_channel = axis is not None and len(quantization.scale) > 1
        scale = np.asarray(quantization.scale, np.float32)
        zero = np.asarray(quantization.zero_point, dtype)
        if not per_channel:
            scale, zero = scale[0].reshape(()), zero[0].reshape(())
        names = [stored, self.initializer(scale, f"{hint}_scale"), self.initializer(zero, f"{hint}_zero_point")]
        return self.node("DequantizeLinear", names, hint, **({"axis": axis} if per_channel else {}))

    def activated(self, value: str, activation: int, output: int, hint: str) -> str:
        """Apply a fused activation, unless the grid of a quantized output does it by clamping."""
        limits = ACTIVATIONS.get(activation)
        if limits is None:
            raise NotLowered(f"fused activation {activation} at {hint!r}")
        low, high = limits
        quantization = self.tensor(output).quantization
        if quantization is not None and self.tensor(output).dtype in LOWEST:
            scale, zero = quantization.scale[0], quantization.zero_point[0] - LOWEST[self.tensor(output).dtype]
            grid_low, grid_high = -scale * zero, scale * (255 - zero)
            low = None if low is None or grid_low >= low else low
            high = None if high is None or grid_high <= high * (1 + 1e-6) else high
        if low is None and high is None:
            return value
        if low == 0 and high is None:
            return self.node("Relu", [value], hint)
        bounds = ["" if b is None else self.number(b, f"{hint}_bound") for b in (low, high)]
        return self.node("Clip", [value, *bounds], hint)

    def _as_here(self, data: NDArray[Any]) -> NDArray[Any]:
        return data.transpose(NCHW) if data.ndim == 4 else data

    def _unique(self, hint: str) -> str:
        name, number = hint, 1
        while name in self._names:
            number += 1
            name = f"{hint}_{number}"
        self._names.add(name)
        return name


ACTIVATIONS: dict[int, tuple[float | None, float | None]] = {
    0: (None, None),
    1: (0.0, None),
    2: (-1.0, 1.0),
    3: (0.0, 6.0),
}
"""schema.fbs, ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6, as (lowest, highest)."""
