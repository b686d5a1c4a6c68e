"""Files whose parts call each other: each of `depth` functions, or subgraphs, the next twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper

from tests.graph import endless

DOMAIN = "f"


def write_onnx(path: Path, depth: int, *, branches: bool = False) -> Path:
    """Images (1, 8, 8, 1), and 3 outputs. `branches`: the two calls are in the branches of an If."""
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
    bodies = [(_either if branches else _twice)(f"F{number + 1}") for number in range(depth)]
    bodies.append([helper.make_node("Relu", ["x"], ["y"])])
    functions = [
        helper.make_function(DOMAIN, f"F{number}", ["x"], ["y"], body, opsets)
        for number, body in enumerate(bodies)
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            _call("F0", "image", "x"),
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
        ],
        "g",
        [value("image", TensorProto.FLOAT, [1, 8, 8, 1])],
        [value("logits", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [1, 3], [1, 2, 3])],
    )
    onnx.save(helper.make_model(graph, functions=functions, opset_imports=opsets, ir_version=8), path)
    return path


def _call(name: str, source: str, to: str) -> onnx.NodeProto:
    return helper.make_node(name, [source], [to], domain=DOMAIN)


def _twice(name: str) -> list[onnx.NodeProto]:
    return [_call(name, "x", "between"), _call(name, "between", "y")]


def _either(name: str) -> list[onnx.NodeProto]:
    branch = helper.make_graph([_call(name, "x", "z")], "b", [], [onnx.ValueInfoProto(name="z")])
    true = helper.make_tensor("true", TensorProto.BOOL, [], [True])
    return [
        helper.make_node("Constant", [], ["true"], value=true),
        helper.make_node("If", ["true"], ["y"], then_branch=branch, else_branch=branch),
    ]


def write_tflite(path: Path, depth: int, *, itself: bool = False) -> Path:
    """Images (1, 8, 8, 3), and 3 outputs: each call is an IF. `itself`: the last one calls itself."""
    kinds, options = schema.BuiltinOperator, schema.BuiltinOptions
    model = schema.ModelT()
    model.version, model.description = 3, b""
    model.operatorCodes = [endless.code(each) for each in (kinds.IF, kinds.MEAN, kinds.ABS)]
    buffers = (b"", np.array([1, 2], np.int32).tobytes(), b"\x01")
    model.buffers = [endless.buffer(each) for each in buffers]
    axes = endless.tensor("axes", [2], schema.TensorType.INT32, 1)
    mean = endless.operator(1, [0, 4], [1], options.ReducerOptions, schema.ReducerOptionsT())
    first = endless.graph([*_tensors([1, 8, 8, 3]), axes], ([0], [2]), [mean, _if(1, 1, 2)])
    calling = [
        endless.graph(_tensors([1, 3]), ([0], [2]), [_if(number + 1, 0, 1), _if(number + 1, 1, 2)])
        for number in range(1, depth + 1)
    ]
    end = _if(depth + 1, 0, 2) if itself else None
    last = end or endless.operator(2, [0], [2], options.AbsOptions, schema.AbsOptionsT())
    model.subgraphs = [first, *calling, endless.graph(_tensors([1, 3]), ([0], [2]), [last])]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensors(shape: list[int]) -> list[Any]:
    ends = [endless.tensor("x", shape), endless.tensor("between", [1, 3]), endless.tensor("y", [1, 3])]
    return [*ends, endless.tensor("yes", [1], schema.TensorType.BOOL, 2)]


def _if(subgraph: int, source: int, to: int) -> Any:
    options = schema.IfOptionsT()
    options.thenSubgraphIndex = options.elseSubgraphIndex = subgraph
    return endless.operator(0, [3, source], [to], schema.BuiltinOptions.IfOptions, options)
