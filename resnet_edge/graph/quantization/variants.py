"""The float portable graph with one thing rounded as int8 would: a constant, or an activation.

What an int8 graph loses, it loses in such roundings: its sums are exact. A graph with one of
them runs at the speed of the float graph, and tells what that one costs.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import load_model
from resnet_edge.graph.quantization.additions import scale_of
from resnet_edge.graph.quantization.int8_rows import int8_rows
from resnet_edge.graph.quantization.weighted import one_step

LARGE = 1024
"""Bytes. A larger constant is kept outside of the flatbuffer, which is packed for every variant."""
ALIGNMENT = 64
ROOM = 1 << 16
"""Bytes by which a variant of the flatbuffer may be larger than the first."""
CHANNELS_LAST = frozenset({"DEPTHWISE_CONV_2D"})
"""Whose kernels have the output channels along axis 3 (1HWO); all others have them along axis 0."""


class RoundedVariants:
    """Variants of one float graph as the content of `.tflite` files, each with one rounding.

    `outputs`: the tensors to give instead of those that the graph gives.
    """

    def __init__(self, float_model: Path, outputs: tuple[int, ...]) -> None:
        self._model = load_model(float_model)
        self._model.signatureDefs = []
        self._model.subgraphs[0].outputs = list(outputs)
        self._quantize = self._opcode(schema.BuiltinOperator.QUANTIZE)
        self._dequantize = self._opcode(schema.BuiltinOperator.DEQUANTIZE)
        self._constants: dict[int, NDArray[np.uint8]] = {}
        self._size = 0
        for number, buffer in enumerate(self._model.buffers):
            if buffer.data is not None and len(buffer.data) > LARGE:
                self._constants[number] = np.asarray(buffer.data, np.uint8)
                buffer.data, buffer.offset, buffer.size = None, self._size, len(self._constants[number])
                self._size += _aligned(buffer.size)
        self._start = _aligned(len(_packed(self._model)) + ROOM)
        for number in self._constants:
            self._model.buffers[number].offset += self._start

    def plain(self) -> bytes:
        """Nothing is rounded."""
        return self._content(self._model, self._constants)

    def with_constants(self, rounded: dict[int, NDArray[np.float32]]) -> bytes:
        """Constants by tensor, as `rounded_constant` gives them, instead of those of the graph."""
        model, constants = copy.copy(self._model), dict(self._constants)
        model.buffers = [*self._model.buffers]
        for tensor, values in rounded.items():
            number = self._model.subgraphs[0].tensors[tensor].buffer
            stored = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint8)
            if number in constants:
                constants[number] = stored
            else:
                model.buffers[number] = copy.copy(model.buffers[number])
                model.buffers[number].data = stored
        return self._content(model, constants)

    def with_activations(
        self, ranges: dict[int, tuple[float, float]], readers: Collection[int] | None = None
    ) -> bytes:
        """The activations rounded to the int8 grid of their (min, max), for those operations of the
        graph that `readers` numbers; None: for all, and for the output."""
        model = copy.copy(self._model)
        graph = copy.copy(model.subgraphs[0])
        model.subgraphs = [graph]
        graph.tensors, graph.outputs = [*graph.tensors], [*graph.outputs]
        graph.operators = [copy.copy(operator) for operator in graph.operators]
        numbered = {id(operator): number for number, operator in enumerate(graph.operators)}
        for index, (low, high) in ranges.items():
            real = self._rounded(graph, index, low, high)
            for operator in graph.operators:
                number = numbered.get(id(operator))
                if number is not None and (readers is None or number in readers):
                    operator.inputs = [real if int(i) == index else int(i) for i in operator.inputs]
            if readers is None:
                graph.outputs = [real if int(i) == index else int(i) for i in graph.outputs]
        return self._content(model, self._constants)

    def _rounded(self, graph: Any, index: int, low: float, high: float) -> int:
        """Append the activation rounded and real again; place both operations behind its maker."""
        stored, real = (copy.copy(graph.tensors[index]) for _ in range(2))
        stored.name, real.name = (f"{index}_{kind}".encode() for kind in ("stored", "real"))
        stored.type, stored.quantization = schema.TensorType.INT8, _grid(low, high)
        graph.tensors += [stored, real]
        inside, outside = len(graph.tensors) - 2, len(graph.tensors) - 1
        makers = [n for n, o in enumerate(graph.operators) if index in o.outputs]
        place = makers[0] + 1 if makers else 0
        pair = (self._quantize, index, inside), (self._dequantize, inside, outside)
        graph.operators[place:place] = [_operator(*ends) for ends in pair]
        return outside

    def _content(self, model: Any, constants: dict[int, NDArray[np.uint8]]) -> bytes:
        header = _packed(model)
        content = bytearray(self._start + self._size)
        content[: len(header)] = header
        for number, data in constants.items():
            start = model.buffers[number].offset
            content[start : start + len(data)] = data.data
        return bytes(content)

    def _opcode(self, builtin: int) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 2
        self._model.operatorCodes.append(code)
        return len(self._model.operatorCodes) - 1


def rounded_kernel(
    kernel: NDArray[np.float32], op: str, *, paired: bool, dense_scales: DenseScales = "per-tensor"
) -> NDArray[np.float32]:
    """A kernel of the operation `op` on the grid that quantize.py gives it (int8_rows.py)."""
    first = np.moveaxis(kernel, 3 if op in CHANNELS_LAST else 0, 0)
    rows = first.reshape(len(first), -1)
    alike = one_step(op, dense_scales)
    values = int8_rows(rows, paired=paired, alike=alike).values.reshape(first.shape)
    return np.ascontiguousarray(np.moveaxis(values, 0, 3 if op in CHANNELS_LAST else 0))


def rounded_operand(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A constant operand of arithmetic on the int8 grid of its own range: one scale for all."""
    scale = scale_of(float(values.min()), float(values.max()))
    if scale == 0:
        return values
    zero = np.rint(-128 - min(float(values.min()), 0.0) / scale)
    stored = np.clip(np.rint(values / np.float32(scale)) + zero, -128, 127)
    rounded: NDArray[np.float32] = ((stored - zero) * scale).astype(np.float32)
    return rounded


def _grid(low: float, high: float) -> Any:
    scale = scale_of(low, high) or 1.0
    grid = schema.QuantizationParametersT()
    grid.scale = np.asarray([scale], np.float32)
    grid.zeroPoint = np.asarray([np.rint(-128 - min(low, 0.0) / scale)], np.int64)
    return grid


def _operator(code: int, source: int, target: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [target]
    return operator


def _packed(model: Any) -> bytearray:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    content: bytearray = builder.Output()
    return content


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
