"""Operators put into the float portable graph, and those taken out that nothing reads."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.model import ABSENT

OPTIONS = {
    "ABS": schema.AbsOptionsT,
    "ADD": schema.AddOptionsT,
    "EXP": schema.ExpOptionsT,
    "MINIMUM": schema.MaximumMinimumOptionsT,
    "MUL": schema.MulOptionsT,
    "NEG": schema.NegOptionsT,
}
"""The options of an operator that has some."""


@dataclass(frozen=True, kw_only=True)
class Inserter:
    """Puts elementwise operators right before `before`, an operator of the float32 `model` (a
    `schema.ModelT`). Their outputs are float32 and of the shape of their first input, and are named
    after `layer`."""

    model: Any
    before: Any
    layer: str

    def put(self, op: str, *inputs: int, output: int | None = None) -> int:
        """A new operator, and the index of its output: a new tensor, or `output`."""
        subgraph, operation = self.model.subgraphs[0], schema.OperatorT()
        operation.opcodeIndex = self._code(getattr(schema.BuiltinOperator, op))
        operation.inputs = np.asarray(inputs, np.int32)
        if output is None:
            output = self._tensor_like(inputs[0], op.lower())
        operation.outputs = np.asarray([output], np.int32)
        if op in OPTIONS:
            operation.builtinOptions = OPTIONS[op]()
            operation.builtinOptionsType = getattr(schema.BuiltinOptions, OPTIONS[op].__name__[:-1])
        at = next(n for n, operator in enumerate(subgraph.operators) if operator is self.before)
        subgraph.operators.insert(at, operation)
        return output

    def number(self, value: float) -> int:
        """A float32 constant without axes; its index."""
        buffer, tensor = schema.BufferT(), schema.TensorT()
        buffer.data = np.frombuffer(np.float32(value).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        tensor.type, tensor.shape = schema.TensorType.FLOAT32, np.zeros(0, np.int32)
        tensor.buffer = len(self.model.buffers) - 1
        return self._added(tensor, "constant")

    def _tensor_like(self, index: int, name: str) -> int:
        tensor = deepcopy(self.model.subgraphs[0].tensors[index])
        tensor.buffer = 0
        return self._added(tensor, name)

    def _added(self, tensor: Any, name: str) -> int:
        """Ranges are measured by name, so that every tensor needs one of its own."""
        tensors = self.model.subgraphs[0].tensors
        taken = {bytes(other.name or b"") for other in tensors}
        wanted = [f"{self.layer}/{name}", *(f"{self.layer}/{name}_{n}" for n in range(len(tensors)))]
        tensor.name = next(encoded for one in wanted if (encoded := one.encode()) not in taken)
        tensors.append(tensor)
        return len(tensors) - 1

    def _code(self, builtin: int) -> int:
        """Version 1: what float32 needs, and the oldest runtimes have."""
        for index, code in enumerate(self.model.operatorCodes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.version = 1
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1


def remove(model: Any, operator: Any) -> None:
    """Take one operator out; tensors stay, so that indices do."""
    operators = model.subgraphs[0].operators
    del operators[next(n for n, other in enumerate(operators) if other is operator)]


def remove_unread(model: Any) -> None:
    """Take out the operators that no output of the graph depends on, and the tensors that only they had:
    calibration and the writers of formats go by what the file lists."""
    subgraph = model.subgraphs[0]
    read, kept = {int(i) for i in subgraph.outputs}, []
    for operator in reversed(subgraph.operators):
        if read & {int(i) for i in operator.outputs}:
            kept.append(operator)
            read |= {int(i) for i in operator.inputs}
    subgraph.operators = kept[::-1]
    _keep_tensors(model, read | {int(i) for i in subgraph.inputs})


def _keep_tensors(model: Any, read: set[int]) -> None:
    subgraph = model.subgraphs[0]
    kept = [index for index in range(len(subgraph.tensors)) if index in read]
    home = {old: new for new, old in enumerate(kept)} | {ABSENT: ABSENT}
    subgraph.tensors = [subgraph.tensors[index] for index in kept]
    for holder in (subgraph, *subgraph.operators):
        holder.inputs = np.asarray([home[int(i)] for i in holder.inputs], np.int32)
        holder.outputs = np.asarray([home[int(i)] for i in holder.outputs], np.int32)
    for signature in model.signatureDefs or ():
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = home[entry.tensorIndex]
