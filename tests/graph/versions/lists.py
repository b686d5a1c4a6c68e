"""Files that have nothing but one operator in the list of those that they use."""

from __future__ import annotations

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

MOST = 16
"""No operator has a higher version."""
_NOT_IN_FILES = {"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"}


def builtins() -> list[str]:
    """The operators of the schema."""
    names = [name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)]
    return sorted(set(names) - _NOT_IN_FILES)


def only_lists(name: str, version: int) -> bytes:
    """A runtime looks at the whole list of a file before all else."""
    number = getattr(schema.BuiltinOperator, name)
    code, tensor, graph, model = (
        schema.OperatorCodeT(),
        schema.TensorT(),
        schema.SubGraphT(),
        schema.ModelT(),
    )
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    tensor.name, tensor.shape, tensor.buffer = b"image", [1], 0
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.version, model.operatorCodes = 3, [code]
    model.buffers, model.subgraphs = [schema.BufferT()], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
