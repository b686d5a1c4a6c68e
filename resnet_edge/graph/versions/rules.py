"""The version that each builtin operator needs, by its name in the schema.

An operator's code in a TFLite file has a version, and a runtime refuses the file where it has kernels of
lower versions only. Which one an operator needs depends on what it uses: types, ranks, options. The rules are
TensorFlow's (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc and op_signature.cc, at 2.22), but
where these let a runtime open what it cannot compute (int16, see heavy.CONVOLUTION), or ask for more than a
kernel does (int64 biases, see heavy.short_bias).
"""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.versions import heavy
from resnet_edge.graph.versions.conditions import (
    Rule,
    by,
    either,
    first,
    has,
    hybrid,
    int16,
    is_,
    more_axes,
    per_channel,
)
from resnet_edge.graph.versions.operation import Operand, Operation


def _rescales_up(operation: Operation) -> bool:
    tensors = (*operation.inputs[:2], *operation.outputs[:1])
    scales = [tensor.scales[0] for tensor in tensors if tensor and tensor.scales]
    return len(scales) == 3 and all(scales) and scales[0] * scales[1] / scales[2] >= 1


def _quantized(operation: Operation) -> bool:
    return any(operand and operand.quantized for operand in operation.inputs[:2])


def _spread(operand: Operand | None) -> bool:
    return operand is not None and operand.per_channel(operand.axis)


def _any_scale(operation: Operation) -> bool:
    return int16(operation) and operation.option("potScaleInt16") is False


_INT8 = by({"int8": 2})
_INT8_INT16 = by({"int8": 2, "int16": 3})
_BOTH_INT16 = first((3, int16), (2, is_("int8")))
_EXTREME = first((4, int16), (3, lambda o: o.broadcasts_more_than_four), (2, is_("int8")))
_COMPARED = {"int8": 2, "string": 3}
_BATCHES = first((4, is_("int16")), (3, lambda o: o.rank() != 4), (2, is_("int8")))
_PADDED = first((5, is_("bool")), (4, more_axes(4)), (3, is_("int16")), (2, is_("int8")))
_NEAREST = first((4, is_("int16")), (3, has("halfPixelCenters")), (3, has("alignCorners")), (2, is_("int8")))
_RECURRENT = first(
    (3, lambda o: o.type(1) == "int8" and o.gives() == "float32" and o.option("asymmetricQuantizeInputs")),
    (2, lambda o: o.type(1) == "int8" and o.gives() == "float32"),
)


def _with_weights_at_two(operation: Operation) -> bool:
    return (operation.type(0), operation.type(2), operation.gives()) == ("float32", "int8", "float32")


RULES: dict[str, Rule] = {
    "ABS": first(
        (5, is_("int32")),
        (3, lambda o: o.type() == "int16" and _quantized(o)),
        (4, is_("int16")),
        (2, is_("int8", "uint8")),
    ),
    "ADD": first(
        (6, is_("float16")),
        (5, lambda o: o.type() == "int16" and not _quantized(o)),
        (4, is_("int64")),
        (3, _any_scale),
        (2, is_("int8")),
    ),
    "ARG_MAX": by({"bool": 3, "int8": 2}),
    "ARG_MIN": by({"bool": 3, "int8": 2}),
    "AVERAGE_POOL_2D": _BOTH_INT16,
    "BATCH_MATMUL": first(
        (3, is_("int16")),
        (2, is_("int8")),
        (4, lambda o: hybrid(o) and o.option("asymmetricQuantizeInputs")),
    ),
    "BATCH_TO_SPACE_ND": _BATCHES,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "BIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "BROADCAST_TO": by({"int8": 3, "int16": 3}, otherwise=2),
    "CAST": first(
        (8, either("int2", "uint4")),
        (7, either("bfloat16")),
        (6, lambda o: (o.type(), o.gives()) == ("int4", "float32")),
        (5, either("float64", "float16")),
        (4, either("uint16")),
        (3, either("int8")),
        (2, either("uint32")),
    ),
    "CONCATENATION": by({"int4": 5, "uint32": 4, "int16": 3, "int8": 2}),
    "CONV_2D": heavy.CONVOLUTION,
    "DEPTHWISE_CONV_2D": heavy.DEPTHWISE,
    "DEPTH_TO_SPACE": _INT8,
    "DEQUANTIZE": first(
        (8, is_("uint4")),
        (7, is_("int2")),
        (6, is_("int4")),
        (3, is_("int16", "float16")),
        (5, lambda o: o.type() == "int8" and _spread(o.input(0))),
        (2, is_("int8")),
    ),
    "DIV": first((2, lambda o: o.broadcasts_more_than_four)),
    "DYNAMIC_UPDATE_SLICE": first(
        (6, is_("bfloat16")),
        (5, is_("int4")),
        (4, is_("int16")),
        (3, is_("float16")),
        (2, is_("int64", index=2)),
    ),
    "EMBEDDING_LOOKUP": first(
        (4, lambda o: o.type(1) == "int4" or per_channel(0)(o)), (5, is_("int2", index=1))
    ),
    "EQUAL": by({**_COMPARED, "int16": 5}),
    "EXP": by({"int8": 2, "int16": 2}),
    "FAKE_QUANT": first((2, has("narrowRange"))),
    "FILL": by({"float16": 4, "int8": 3, "int16": 3, "bool": 2, "string": 2}, index=1),
    "FLOOR_DIV": by({"int16": 3, "int8": 3, "float32": 2}),
    "FLOOR_MOD": by({"int16": 2, "int8": 2}),
    "FULLY_CONNECTED": heavy.FULLY_CONNECTED,
    "GATHER": first(
        (7, is_("int4")),
        (6, is_("int16", index=1)),
        (5, has("batchDims")),
        (4, is_("int16")),
        (3, is_("bool")),
        (2, is_("int8")),
    ),
    "GATHER_ND": first((5, is_("bool")), (4, is_("int16", index=1)), (3, is_("int16")), (2, is_("string"))),
    "GELU": by({"int8": 2, "uint8": 2}),
    "GREATER": _INT8,
    "GREATER_EQUAL": _INT8_INT16,
    "L2_NORMALIZATION": first((2, lambda o: o.gives() == "int8")),
    "LEAKY_RELU": by({"int16": 2}),
    "LESS": _INT8_INT16,
    "LESS_EQUAL": _INT8,
    "LOG": by({"int8": 2, "int16": 2}),
    "LOGISTIC": _BOTH_INT16,
    "LOG_SOFTMAX": _INT8,
    "LSTM": first(
        (5, lambda o: (o.type(), o.type(2), o.gives()) == ("int16", "int8", "int16")),
        (4, lambda o: _with_weights_at_two(o) and o.option("asymmetricQuantizeInputs")),
        (3, _with_weights_at_two),
        (2, lambda o: o.option("kernelType") == schema.LSTMKernelType.BASIC),
    ),
    "MAXIMUM": _EXTREME,
    "MAX_POOL_2D": _BOTH_INT16,
    "MEAN": _INT8_INT16,
    "MINIMUM": _EXTREME,
    "MIRROR_PAD": _INT8_INT16,
    "MUL": first(
        (8, is_("float16")),
        (7, lambda o: (o.type() == "int16" and not _quantized(o)) or o.type() == "uint32"),
        (6, is_("complex64")),
        (5, is_("int64")),
        (4, is_("int16")),
        (3, _rescales_up),
        (2, is_("int8")),
    ),
    "NOT_EQUAL": by({**_COMPARED, "int16": 4}),
    "PACK": first((2, is_("int8")), (3, int16), (4, is_("uint32"))),
    "PAD": _PADDED,
    "PADV2": _PADDED,
    "QUANTIZE": first(
        (5, either("uint4")),
        (4, either("int4")),
        (3, lambda o: _spread(o.outputs[0] if o.outputs else None)),
        (2, lambda o: o.gives() == "int16"),
    ),
    "RANGE": by({"int64": 2}),
    "REDUCE_MAX": _INT8_INT16,
    "REDUCE_MIN": _INT8_INT16,
    "REDUCE_PROD": by({"int8": 2, "int16": 2}),
    "RELU": by({"int16": 3, "int8": 2, "uint8": 2}),
    "RELU6": _INT8_INT16,
    "RESIZE_BILINEAR": first((4, is_("int16")), (3, has("halfPixelCenters")), (2, is_("int8"))),
    "RESIZE_NEAREST_NEIGHBOR": _NEAREST,
    "REVERSE_V2": by({"int8": 3, "bool": 2}),
    "RNN": _RECURRENT,
    "RSQRT": _INT8_INT16,
    "SELECT": first(
        (4, is_("uint32")), (3, lambda o: 5 in (o.rank(0), o.rank(1), o.rank(2))), (2, is_("int8"))
    ),
    "SELECT_V2": by({"uint32": 2}),
    "SIGN": by({"int32": 2}),
    "SLICE": first(
        (7, is_("int4")),
        (6, is_("uint32")),
        (5, more_axes(4)),
        (4, is_("int16")),
        (3, is_("string")),
        (2, is_("int8")),
    ),
    "SOFTMAX": _INT8_INT16,
    "SPACE_TO_BATCH_ND": _BATCHES,
    "SPACE_TO_DEPTH": _INT8,
    "SPARSE_TO_DENSE": by({"int8": 3, "uint8": 3, "int64": 2}, index=2),
    "SPLIT": by({"int16": 4, "int32": 3, "int8": 2}, index=1),
    "SPLIT_V": _INT8,
    "SQRT": by({"int8": 2, "int16": 2}),
    "SQUARED_DIFFERENCE": _INT8,
    "SQUEEZE": by({"string": 2}),
    "STRIDED_SLICE": first(
        (8, has("offset")),
        (7, is_("uint32")),
        (6, lambda o: o.option("ellipsisMask") or o.option("newAxisMask")),
        (5, is_("string")),
        (4, more_axes(4)),
        (3, is_("bool")),
        (2, is_("int8")),
    ),
    "SUB": first(
        (5, _any_scale), (4, is_("int64")), (3, lambda o: o.broadcasts_more_than_four), (2, is_("int8"))
    ),
    "SUM": _INT8,
    "SVDF": first(
        (3, is_("int8")), (4, lambda o: hybrid(o) and o.option("asymmetricQuantizeInputs")), (2, hybrid)
    ),
    "TANH": _BOTH_INT16,
    "TILE": by({"int8": 3, "string": 2}),
    "TOPK_V2": first((3, lambda o: "int16" in (o.type(0), o.type(1), o.gives(1))), (2, is_("int8"))),
    "TRANSPOSE": first(
        (8, lambda o: o.rank() > 6 or o.type() == "bfloat16"),
        (7, is_("int4")),
        (6, more_axes(5)),
        (5, is_("int16")),
        (4, more_axes(4)),
        (3, is_("bool")),
        (2, is_("int8")),
    ),
    # Its first input is the shape that it gives.
    "TRANSPOSE_CONV": first(
        (5, heavy.short_bias(3)),
        (4, has("fusedActivationFunction")),
        (3, lambda o: len(o.inputs) == 4 and o.type(3)),
        (2, is_("int8", index=1)),
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": first(
        (5, lambda o: (o.type(), o.type(2), o.gives()) == ("int16", "int8", "int16")),
        (4, has("diagonalRecurrentTensors")),
        (3, lambda o: _with_weights_at_two(o) and o.option("asymmetricQuantizeInputs")),
        (2, _with_weights_at_two),
    ),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "UNPACK": first((2, is_("int8", "uint8")), (3, is_("bool")), (4, int16), (5, is_("float16", "bfloat16"))),
    "WHERE": by({"bool": 1}, otherwise=2),
}
"""By the operator's name in the schema. Every other has one version."""
