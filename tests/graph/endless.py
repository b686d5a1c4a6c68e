"""Files with a loop that goes round for ever, or as often as is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper

FOR_EVER = 2**62
FLOAT = schema.TensorType.FLOAT32


def write_onnx(path: Path, trips: int = FOR_EVER) -> Path:
    """Images (1, 8, 8, 1), and 3 outputs, to which one is added `trips` times."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["v", "one"], ["w"])],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("v", TensorProto.FLOAT, [1, 3]),
        ],
        [value("on", TensorProto.BOOL, []), value("w", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])],
    )
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["scores"]),
            helper.make_node("Loop", ["trips", "true", "scores"], ["logits"], body=body),
        ],
        "g",
        [value("image", TensorProto.FLOAT, [1, 8, 8, 1])],
        [value("logits", TensorProto.FLOAT, [1, 3])],
        [
            helper.make_tensor("weights", TensorProto.FLOAT, [1, 3], [1, 2, 3]),
            helper.make_tensor("trips", TensorProto.INT64, [], [trips]),
            helper.make_tensor("true", TensorProto.BOOL, [], [True]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def write_tflite(path: Path) -> Path:
    """Images (1, 8, 8, 3), and 3 outputs: a WHILE whose condition is a constant."""
    model = schema.ModelT()
    model.version, model.description = 3, b""
    operators = schema.BuiltinOperator
    model.operatorCodes = [code(each) for each in (operators.WHILE, operators.MEAN, operators.ABS)]
    model.buffers = [buffer(b""), buffer(np.array([1, 2], np.int32).tobytes()), buffer(b"\x01")]
    mean, again = schema.ReducerOptionsT(), schema.WhileOptionsT()
    again.condSubgraphIndex, again.bodySubgraphIndex = 1, 2
    options = schema.BuiltinOptions
    image, axes = tensor("image", [1, 8, 8, 3]), tensor("axes", [2], schema.TensorType.INT32, 1)
    yes = tensor("yes", [1], schema.TensorType.BOOL, 2)
    scores, x = [tensor("scores", [1, 3]), tensor("logits", [1, 3])], tensor("x", [1, 3])
    model.subgraphs = [
        graph(
            [image, axes, *scores],
            ([0], [3]),
            [
                operator(1, [0, 1], [2], options.ReducerOptions, mean),
                operator(0, [2], [3], options.WhileOptions, again),
            ],
        ),
        graph([x, yes], ([0], [1]), []),
        graph(
            [x, tensor("y", [1, 3])],
            ([0], [1]),
            [operator(2, [0], [1], options.AbsOptions, schema.AbsOptionsT())],
        ),
    ]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def code(number: int) -> Any:
    entry = schema.OperatorCodeT()
    entry.deprecatedBuiltinCode, entry.builtinCode, entry.version = min(number, 127), number, 1
    return entry


def buffer(content: bytes) -> Any:
    stored = schema.BufferT()
    stored.data = list(content) or None
    return stored


def tensor(name: str, shape: list[int], kind: int = FLOAT, buffer: int = 0) -> Any:
    described = schema.TensorT()
    described.name, described.shape, described.type, described.buffer = name.encode(), shape, kind, buffer
    return described


def graph(tensors: list[Any], ends: tuple[list[int], list[int]], operators: list[Any]) -> Any:
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators, (subgraph.inputs, subgraph.outputs) = tensors, operators, ends
    subgraph.name = b"graph"
    return subgraph


def operator(code: int, inputs: list[int], outputs: list[int], kind: int, options: Any) -> Any:
    operation = schema.OperatorT()
    operation.opcodeIndex, operation.inputs, operation.outputs = code, inputs, outputs
    operation.builtinOptionsType, operation.builtinOptions = kind, options
    return operation
