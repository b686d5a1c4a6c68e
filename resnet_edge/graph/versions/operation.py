"""What an operator of a TFLite file uses, as far as versions depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

TYPE_NAMES: dict[int, str] = {
    value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)
}
CUSTOM = "CUSTOM"
BUILTINS: dict[int, str] = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}


@dataclass(frozen=True, kw_only=True)
class Operand:
    """What a tensor is to an operator: `dtype` as schema.fbs names it, in lower case; `shape` as stored."""

    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    axis: int
    quantized: bool
    sparse: bool

    def per_channel(self, axis: int) -> bool:
        """Whether each index along `axis` has a scale of its own."""
        return len(self.scales) > 1 and axis < len(self.shape) and len(self.scales) == self.shape[axis]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operator: its name in the schema, what it reads (None: not given) and gives, and its options."""

    name: str
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand | None, ...]
    options: Any = None

    def input(self, index: int) -> Operand | None:
        """One of what it reads; None where it is not given."""
        return self.inputs[index] if index < len(self.inputs) else None

    def type(self, index: int = 0) -> str:
        """The dtype of an input; empty where it is not given."""
        tensor = self.input(index)
        return tensor.dtype if tensor else ""

    def gives(self, index: int = 0) -> str:
        """The dtype of an output; empty where there is none."""
        tensor = self.outputs[index] if index < len(self.outputs) else None
        return tensor.dtype if tensor else ""

    def rank(self, index: int = 0) -> int:
        """How many axes an input has."""
        tensor = self.input(index)
        return len(tensor.shape) if tensor else 0

    def gives_axes(self) -> int:
        """How many axes the first output has."""
        tensor = self.outputs[0] if self.outputs else None
        return len(tensor.shape) if tensor else 0

    def option(self, name: str) -> Any:
        """One of the builtin options; None where the operator has no such."""
        return getattr(self.options, name, None)

    def types(self, given: str, weights: str, gives: str) -> bool:
        """Whether these are the dtypes of the first two inputs and the output."""
        return (self.type(0), self.type(1), self.gives()) == (given, weights, gives)

    @property
    def broadcasts_more_than_four(self) -> bool:
        """Whether its two operands differ in shape, and one has more than four axes."""
        shapes = [operand.shape if operand else () for operand in self.inputs]
        return len(shapes) > 1 and shapes[0] != shapes[1] and max(map(len, shapes)) > 4


def builtin_name(code: Any) -> str:
    """The name in the schema of a `schema.OperatorCodeT`; empty where the schema has none."""
    return BUILTINS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")


def operations(model: Any) -> list[Operation]:
    """The operators of a `schema.ModelT`, in order."""
    listed = []
    for graph in model.subgraphs:
        operands = [_operand(tensor) for tensor in graph.tensors]
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            inputs, outputs = (
                tuple(operands[i] if i >= 0 else None for i in (side if side is not None else ()))
                for side in (operator.inputs, operator.outputs)
            )
            listed.append(
                Operation(
                    name=builtin_name(code), inputs=inputs, outputs=outputs, options=operator.builtinOptions
                )
            )
    return listed


def _operand(tensor: Any) -> Operand:
    grid = tensor.quantization
    scales = () if grid is None or grid.scale is None else tuple(map(float, grid.scale))
    return Operand(
        dtype=TYPE_NAMES.get(tensor.type, ""),
        shape=tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ())),
        scales=scales,
        axis=0 if grid is None else int(grid.quantizedDimension),
        quantized=bool(scales),
        sparse=tensor.sparsity is not None,
    )
