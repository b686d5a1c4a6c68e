"""TFLite models of one operator."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.compatibility import micro
from resnet_edge.core.minimum import RuntimeMinimum

TYPE = schema.TensorType


def tensor(dtype: int, *shape: int, scales: int = 0, axis: int = 0) -> Any:
    stored = schema.TensorT()
    stored.name, stored.type, stored.shape, stored.buffer = b"t", dtype, list(shape), 0
    if scales:
        stored.quantization = schema.QuantizationParametersT()
        stored.quantization.scale = np.full(scales, 0.5, np.float32)
        stored.quantization.zeroPoint = np.zeros(scales, np.int64)
        stored.quantization.quantizedDimension = axis
    return stored


def file(name: str, tensors: list[Any], *, version: int = 1, options: Any = None, said: str = "") -> Any:
    """One operator that reads all tensors but the last and gives that; `name` may be a custom one."""
    model, graph, code, operator = (
        schema.ModelT(),
        schema.SubGraphT(),
        schema.OperatorCodeT(),
        schema.OperatorT(),
    )
    number = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    if number == schema.BuiltinOperator.CUSTOM:
        code.customCode = name.encode()
    operator.opcodeIndex, operator.builtinOptions = 0, options
    operator.inputs, operator.outputs = list(range(len(tensors) - 1)), [len(tensors) - 1]
    graph.tensors, graph.operators = tensors, [operator]
    graph.inputs, graph.outputs = [0], [len(tensors) - 1]
    model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], [schema.BufferT()]
    if said:
        entry, buffer = schema.MetadataT(), schema.BufferT()
        entry.name, entry.buffer = b"min_runtime_version", 1
        buffer.data = np.frombuffer(said.encode().ljust(16, b"\0"), np.uint8)
        model.buffers, model.metadata = [*model.buffers, buffer], [entry]
    return model


def dense(given: int, weights: int, scales: int, version: int = 1, said: str = "") -> Any:
    tensors = [tensor(given, 1, 8), tensor(weights, 4, 8, scales=scales)]
    bias = TYPE.INT32 if given == TYPE.INT8 else TYPE.FLOAT32
    tensors += [tensor(bias, 4), tensor(given, 1, 4)]
    return file(
        "FULLY_CONNECTED", tensors, version=version, options=schema.FullyConnectedOptionsT(), said=said
    )


def on_three_axes(given: int, scales: int, bias: bool = True) -> Any:
    """A dense layer that gives three axes, of the version that TensorFlow writes."""
    tensors = [tensor(given, 1, 5, 8, scales=1), tensor(TYPE.INT8, 4, 8, scales=scales)]
    tensors += [tensor(TYPE.INT32 if given == TYPE.INT8 else TYPE.INT64, 4)] if bias else []
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    return file("FULLY_CONNECTED", [*tensors, tensor(given, 1, 5, 4, scales=1)], version=5, options=options)


def one(name: str, dtype: int, version: int = 1) -> Any:
    return file(
        name, [tensor(dtype, 1, 4, 4, 8, scales=1), tensor(dtype, 1, 4, 4, 8, scales=1)], version=version
    )


def state_of(model: Any) -> tuple[str, str]:
    minimum: RuntimeMinimum = micro.minimum(model)
    return minimum.state, minimum.version
