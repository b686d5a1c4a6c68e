"""The state of one lowering: which ONNX value stands for which tensor of the portable graph.

Layout: a rank-4 tensor is NHWC in the portable graph and NCHW here; the input is transposed
once, where it enters, unless it comes in so. Other ranks keep their order.

Quantization: every operation is written in real numbers. A quantized activation becomes
QuantizeLinear + DequantizeLinear around its real value, uint8 (the int8 of the portable graph
shifted by 128, the same real numbers): that is the pattern which ONNX Runtime fuses into
QLinearConv, QLinearAdd and QGemm, with the kernels that x86 is fast in (uint8 activations, int8 weights). A
quantized constant keeps its integers behind one DequantizeLinear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import Graph, Node, Tensor

NCHW = (0, 3, 1, 2)
NHWC = (0, 2, 3, 1)
LOWEST = {"int8": -128, "uint8": 0}
"""The stored value of the portable graph that is stored as 0 here."""
Limits = tuple[float | None, float | None]
"""The lowest and the highest real number that a tensor may hold; None: no limit."""
UNLIMITED: Limits = (None, None)
ACTIVATIONS: dict[int, Limits] = {0: UNLIMITED, 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
"""schema.fbs, ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6."""


class NotLowered(ArtifactError):
    """The portable graph has an operation, or a use of one, that is not lowered to ONNX."""


class Builder:
    """Collects ONNX nodes and initializers while the operations are lowered in order."""

    def __init__(self, graph: Graph, real: str, *, channels_first: bool = False) -> None:
        self.graph = graph
        self.channels_first = channels_first
        self.real = np.dtype(real)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.padded: dict[int, tuple[int, tuple[int, int, int, int]]] = {}
        self.thinned: dict[tuple[int, tuple[int, int]], str] = {}
        self._values: dict[int, str] = {}
        self._stored: dict[str, tuple[str, int]] = {}
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

    def readers(self, index: int) -> list[Node]:
        """The operations that read the tensor."""
        return [node for node in self.graph.nodes if index in node.inputs]

    def value(self, index: int) -> str:
        """The ONNX value that holds the real numbers of the tensor."""
        if index not in self._values:
            if not self.is_constant(index):
                makers = [node.op for node in self.graph.nodes if index in node.outputs]
                raise NotLowered(
                    f"no lowering of {makers[0] if makers else 'a second input'} at {self.name(index)!r}"
                )
            self._values[index] = self.operand(index, self._as_here(self.constant(index)))
        return self._values[index]

    def entry_order(self, index: int) -> Sequence[int]:
        """The axes of the input, the tensor `index`, in the order in which it comes in."""
        rank = len(self.shape(index))
        return NCHW if rank == 4 and self.channels_first else range(rank)

    def entry(self, raw: str, index: int, hint: str) -> str:
        """The input `raw`, shaped as the tensor `index`, in this layout."""
        if len(self.shape(index)) != 4 or self.channels_first:
            return raw
        return self.node("Transpose", [raw], hint, perm=NCHW)

    def entered(self, stored: str, index: int) -> str:
        """The real numbers of the integers `stored` that come in, in this layout.

        They are transposed behind DequantizeLinear: OpenVINO takes a convolution for one of floats where a
        Transpose stands between the pair, or before it where scale 1 and zero point 0 make the pair nothing.
        ONNX Runtime, which computes in NHWC, takes the Transpose out wherever it stands.
        """
        real = self.unstored(stored, index)
        value = self.entry(real, index, self.name(index))
        if value != real:
            self._stored[value] = self.entry(stored, index, self.name(index)), index
        return value

    # -- writing ---------------------------------------------------------------------------

    def node(self, op: str, inputs: Sequence[str], hint: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = self._unique(f"{hint}/{op}")
        proto = helper.make_node(op, list(inputs), [name], name=name, domain=domain, **attributes)
        self.nodes.append(proto)
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
            with np.errstate(over="ignore"):  # "no limit" is a number beyond those of float16: infinity there
                real = data.astype(self.real) if data.dtype.kind == "f" else data
            return self.initializer(real, self.name(index))
        stored = self.initializer(data, self.name(index))
        return self.dequantized(stored, data.dtype, tensor.quantization, self.name(index), axis)

    def operand(self, index: int, data: NDArray[Any]) -> str:
        """A constant operand of arithmetic (`data`, in this layout), as uint8 if it is int8: ONNX
        Runtime fuses arithmetic only where both operands have one type."""
        tensor = self.tensor(index)
        if tensor.quantization is None or tensor.dtype != "int8":
            return self.stored_constant(index, data)
        shifted = (data.astype(np.int16) + 128).astype(np.uint8)
        quantization = replace(
            tensor.quantization, zero_point=tuple(z + 128 for z in tensor.quantization.zero_point)
        )
        stored = self.initializer(shifted, self.name(index))
        return self.dequantized(stored, shifted.dtype, quantization, self.name(index), None)

    def define(self, index: int, real_value: str, limits: Limits = UNLIMITED) -> None:
        """The tensor's real numbers are `real_value`, rounded to its grid if it is quantized, and
        brought within `limits`."""
        self._values[index] = self.rounded(real_value, index, limits)

    def define_exact(self, index: int, value: str) -> None:
        """The tensor is `value`, which is on its grid already."""
        self._values[index] = value

    def define_moved(self, index: int, source: int, value: str) -> None:
        """The tensor is `value`, numbers of the tensor `source` that were moved: rounded where its grid is
        another."""
        if self.tensor(index).quantization == self.tensor(source).quantization:
            self.define_exact(index, value)
        else:
            self.define(index, value)

    def rounded(self, real_value: str, index: int, limits: Limits = UNLIMITED) -> str:
        """Real numbers rounded to the grid of the tensor `index`, or as they are if it is real."""
        hint = self.name(index)
        if self.tensor(index).quantization is None:
            return self._clipped(real_value, limits, hint)
        stored = self.node("QuantizeLinear", [real_value, *self.grid(index)], hint)
        return self.unstored(self._clamped(stored, index, limits), index)

    def unstored(self, stored: str, index: int) -> str:
        """The real numbers of integers on the grid of `index`."""
        value = self.node("DequantizeLinear", [stored, *self.grid(index)], self.name(index))
        self._stored[value] = stored, index
        return value

    def stored(self, index: int) -> str | None:
        """The integers behind an activation; None if it is real."""
        if self.tensor(index).quantization is None:
            return None
        return self._stored.get(self.value(index), (None, index))[0]

    def moved(self, value: str, move: Callable[[str], str]) -> str:
        """`value` after `move`, which only moves numbers: of the integers behind it where it has some, since
        ONNX Runtime leaves some moves between DequantizeLinear and QuantizeLinear in float."""
        if value not in self._stored:
            return move(value)
        stored, on = self._stored[value]
        return self.unstored(move(stored), on)

    def zero_behind(self, value: str) -> list[str]:
        """The integer that stands for zero among those behind `value`, as an optional operand."""
        return [self.grid(self._stored[value][1])[1]] if value in self._stored else []

    def apart(self, index: int) -> str:
        """The real numbers of an activation, for a convolution or dense layer that stays in float.

        ONNX Runtime makes an int8 layer of a float one between DequantizeLinear and QuantizeLinear,
        with one scale for the whole kernel (weight_bias_quantization.cc), and says nothing. It looks
        for a scalar scale: so here the scale is repeated for every slice of an axis.
        """
        value, shape = self.value(index), self.shape(index)
        here = [shape[axis] for axis in NCHW] if len(shape) == 4 else [*shape]
        axis, size = next(((a, s) for a, s in enumerate(here) if a and s and s > 1), (0, 0))
        if value not in self._stored or not size:
            return value
        stored, on = self._stored[value]
        scale, zero = self._grid_of(on)
        scales = self.initializer(np.full(size, scale), f"{self.name(on)}_scales")
        zeros = self.initializer(np.full(size, zero), f"{self.name(on)}_zero_points")
        return self.node("DequantizeLinear", [stored, scales, zeros], self.name(index), axis=axis)

    def grid(self, index: int) -> tuple[str, str]:
        """Scale and zero point of a quantized activation, as uint8."""
        scale, zero = self._grid_of(index)
        hint = self.name(index)
        return self.initializer(scale, f"{hint}_scale"), self.initializer(zero, f"{hint}_zero_point")

    def _grid_of(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        tensor, hint = self.tensor(index), self.name(index)
        quantization = tensor.quantization
        if quantization is None or quantization.axis is not None or tensor.dtype not in LOWEST:
            raise NotLowered(f"activation {hint!r} is {tensor.dtype}, not int8 or uint8 per tensor")
        zero = quantization.zero_point[0] - LOWEST[tensor.dtype]
        return np.asarray(quantization.scale[0], np.float32), np.asarray(zero, np.uint8)

    def dequantized(
        self, stored: str, dtype: np.dtype[Any], quantization: Quantization, hint: str, axis: int | None
    ) -> str:
        """DequantizeLinear of integers that are stored as they are."""
        per_channel = len(quantization.scale) > 1
        if per_channel and axis is None:
            raise NotLowered(f"constant {hint!r} is quantized per channel where one scale is needed")
        scale = np.asarray(quantization.scale, np.float32)
        zero = np.asarray(quantization.zero_point, dtype)
        if not per_channel:
            scale, zero = scale[0].reshape(()), zero[0].reshape(())
        names = [
            stored,
            self.initializer(scale, f"{hint}_scale"),
            self.initializer(zero, f"{hint}_zero_point"),
        ]
        if per_channel:
            return self.node("DequantizeLinear", names, hint, axis=axis)
        return self.node("DequantizeLinear", names, hint)

    def cast(self, value: str, to: np.dtype[Any]) -> str:
        """`value` as numbers of another type."""
        return self.node("Cast", [value], "cast", to=helper.np_dtype_to_tensor_dtype(to))

    def limits(self, node: Node) -> Limits:
        """What the activation that is fused into `node` allows."""
        activation = int(node.options.get("fusedActivationFunction", 0))
        if activation not in ACTIVATIONS:
            raise NotLowered(f"fused activation {activation} at {self.name(node.outputs[0])!r}")
        return ACTIVATIONS[activation]

    def _clipped(self, value: str, limits: Limits, hint: str) -> str:
        if limits == UNLIMITED:
            return value
        if limits == (0.0, None):
            return self.node("Relu", [value], hint)
        bounds = ["" if bound is None else self.number(bound, f"{hint}_bound") for bound in limits]
        return self.node("Clip", [value, *bounds], hint)

    def _clamped(self, stored: str, index: int, limits: Limits) -> str:
        """Stored numbers within `limits`, as TFLite's kernels do it: after rounding. An activation
        before QuantizeLinear would keep ONNX Runtime from fusing the convolution. Most grids end
        where the activation does, and nothing is left to do."""
        quantization = self.tensor(index).quantization
        assert quantization is not None  # rounded() asks for no other
        scale, zero = quantization.scale[0], quantization.zero_point[0] - LOWEST[self.tensor(index).dtype]
        low, high = (None if bound is None else zero + round(bound / scale) for bound in limits)
        bounds = max(0, low or 0), min(255, 255 if high is None else high)
        if bounds == (0, 255):
            return stored
        names = [self.initializer(np.asarray(b, np.uint8), f"{self.name(index)}_bound") for b in bounds]
        return self.node("Clip", [stored, *names], self.name(index))

    def _as_here(self, data: NDArray[Any]) -> NDArray[Any]:
        return data.transpose(NCHW) if data.ndim == 4 else data

    def _unique(self, hint: str) -> str:
        name, number = hint, 1
        while name in self._names:
            number += 1
            name = f"{hint}_{number}"
        self._names.add(name)
        return name
