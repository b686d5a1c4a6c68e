"""Qualcomm's NPU (Hexagon, through QNN) as LiteRT's plug-in reaches it."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._litert_npu import FORMATS as FORMATS
from resnet_edge.bundle.delegates._litert_npu import npu_outlook
from resnet_edge.bundle.delegates._tflite import DelegatedOperation
from resnet_edge.core.results.outlook import Outlook

TITLE = "Qualcomm's NPU through LiteRT"
SOURCE = "google-ai-edge/LiteRT, litert/vendors/qualcomm/compiler/Qualcomm_QNN_Compiler.md at commit 08c8bf6"

LEGALIZED = frozenset({
    "ABS", "ADD", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BROADCAST_TO", "CAST", "CEIL",
    "CONCATENATION", "CONV_2D", "CONV_3D", "COS", "CUMSUM", "DEPTH_TO_SPACE", "DEPTHWISE_CONV_2D",
    "DEQUANTIZE", "DIV", "DYNAMIC_UPDATE_SLICE", "ELU", "EMBEDDING_LOOKUP", "EQUAL", "EXP", "FLOOR",
    "FLOOR_DIV", "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG",
    "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM",
    "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE",
    "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU_0_TO_1", "RELU6",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND",
    "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT",
    "SQUARE", "SQUARED_DIFFERENCE", "SQRT", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TOPK_V2",
    "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
})  # fmt: skip
DTYPES = frozenset({"bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32"})
"""Quantized per tensor or per channel, or not at all."""


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate."""
    return npu_outlook(path, format, "litert_npu_qualcomm", TITLE, SOURCE, reason)


def reason(operation: DelegatedOperation) -> str | None:
    """Why the CPU keeps an operation."""
    if operation.op not in LEGALIZED:
        return "the plug-in has no such operation"
    odd = [t.dtype for t in (*operation.inputs, *operation.outputs) if t.dtype not in DTYPES]
    return f"it takes no {odd[0]} tensors" if odd else None
