"""MediaTek's NPU (NeuroPilot) as LiteRT's plug-in reaches it."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._litert_npu import FORMATS as FORMATS
from resnet_edge.bundle.delegates._litert_npu import npu_outlook
from resnet_edge.bundle.delegates._tflite import DelegatedOperation
from resnet_edge.core.results.outlook import Outlook
from resnet_edge.graph.model import Tensor

TITLE = "MediaTek's NPU through LiteRT"
SOURCE = (
    "google-ai-edge/LiteRT, litert/vendors/mediatek/compiler/MediaTek_Neuro_Compiler.md at commit 1551136"
)

LEGALIZED = frozenset({
    "ABS", "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "DEQUANTIZE",
    "DEPTHWISE_CONV_2D", "DIV", "FULLY_CONNECTED", "GELU", "GREATER", "HARD_SWISH", "LESS", "LOGISTIC",
    "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PAD", "PADV2", "PRELU", "LEAKY_RELU", "QUANTIZE",
    "REDUCE_MAX", "RELU", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE",
    "SOFTMAX", "SPLIT", "SQRT", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE",
    "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK", "L2_NORMALIZATION",
})  # fmt: skip
DTYPES = frozenset({"float32", "float16", "int32", "int16", "uint8", "int8", "bool", "int64"})


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate."""
    return npu_outlook(path, format, "litert_npu_mediatek", TITLE, SOURCE, reason)


def reason(operation: DelegatedOperation) -> str | None:
    """Why the CPU keeps an operation."""
    if operation.op not in LEGALIZED:
        return "the plug-in has no such operation"
    tensors = (*operation.inputs, *operation.outputs)
    return next(filter(None, map(_of_tensor, tensors)), None)


def _of_tensor(tensor: Tensor) -> str | None:
    """The table of data types."""
    if tensor.dtype not in DTYPES:
        return f"it takes no {tensor.dtype} tensors"
    channels = tensor.quantization is not None and tensor.quantization.axis is not None
    if tensor.dtype == "int16" and channels:
        return "it takes int16 with one scale for the whole tensor alone"
    if tensor.dtype == "int64" and (tensor.data is None):
        return "it takes int64 in constants alone"
    return None
