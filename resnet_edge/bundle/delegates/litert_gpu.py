"""LiteRT's GPU accelerator (ML Drift) and the GPU delegate before it, on phones through OpenCL or Metal.

ML Drift's own parser is not public; the rules are those of the public delegate that it grew from. What
LiteRT 2.3 gets wrong was found by benchmarks/gpu_quantized.py, on an imitated GPU.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._tflite import DelegatedOperation, check_format, judged, operations, parts
from resnet_edge.bundle.delegates._verdict import READ, ListOrigin, outlook_of
from resnet_edge.core.results.outlook import Outlook

TITLE = "LiteRT's GPU accelerator"
FORMATS = frozenset({"tflite"})
SOURCE = (
    "google-ai-edge/LiteRT, tflite/delegates/gpu/common/model_builder.cc at commit 34ec5ba: "
    "NewOperationParser and GetOpsToReplace"
)

PARSED = frozenset({
    "ABS", "ADD", "ADD_N", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "COS",
    "CUMSUM", "DENSIFY", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "EQUAL", "ELU",
    "EXP", "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GELU", "GREATER",
    "GREATER_EQUAL", "HARD_SWISH", "LESS", "LESS_EQUAL", "LOGISTIC", "LOG", "LOGICAL_AND", "LSTM",
    "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "ONE_HOT",
    "PACK", "PAD", "PADV2", "POW", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "QUANTIZE", "RELU", "RELU6",
    "RELU_0_TO_1", "RELU_N1_TO_1", "LEAKY_RELU", "PRELU", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE", "SOFTMAX",
    "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB",
    "SUM", "TANH", "TILE", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
})  # fmt: skip
"""NewOperationParser, with quantized operations allowed, as LiteRT allows them."""
DTYPES = frozenset({"float32", "float16", "int8", "uint8"})
"""GetOpsToReplace, of tensors that are no constants."""
MORE_INPUTS = {
    "CAST": {"bool", "int32"},
    "ONE_HOT": {"int32"},
    "SELECT": {"bool"},
    "SELECT_V2": {"bool"},
    "LOGICAL_AND": {"bool"},
    "GATHER": {"int32"},
}
MORE_OUTPUTS = {
    "CAST": {"bool", "int32"},
    **dict.fromkeys(("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"), {"bool"}),
    "LOGICAL_AND": {"bool"},
}
SLICE_MASKS = {"ellipsisMask": "ellipsis", "newAxisMask": "new axis", "shrinkAxisMask": "shrink axis"}


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate. `facts`: into how many pieces the CPU's operations cut the rest."""
    check_format(path, format, FORMATS)
    ops = operations(path)
    verdicts = judged(ops, reason)
    pieces = parts(ops, [verdict.reason is None for verdict in verdicts])
    origin = ListOrigin(delegate="litert_gpu", title=TITLE, kind="documented", source=SOURCE, date=READ)
    return outlook_of(origin, verdicts, _warnings(ops), {"parts": float(len(pieces))})


def reason(operation: DelegatedOperation) -> str | None:
    """Why the CPU keeps an operation."""
    op, options = operation.op, operation.node.options
    if op not in PARSED:
        return "the GPU has no such operation"
    ins = DTYPES | MORE_INPUTS.get(op, set())
    outs = DTYPES | MORE_OUTPUTS.get(op, set())
    odd = [t.dtype for t in operation.runtime_inputs if t.dtype not in ins]
    odd += [t.dtype for t in operation.outputs if t.dtype not in outs]
    if odd:
        return f"it takes no {odd[0]} tensors"
    if op == "SOFTMAX" and options.get("beta", 1.0) != 1.0:
        return "its beta is not 1"
    masks = [word for key, word in SLICE_MASKS.items() if op == "STRIDED_SLICE" and options.get(key)]
    return f"its {masks[0]} mask is not supported" if masks else None


def strides_lost(ops: list[DelegatedOperation]) -> list[str]:
    """The layers that LiteRT 2.3 computes as if they had no stride: 1x1 convolutions of int8 weights."""
    return [
        each.layer
        for each in ops
        if each.op == "CONV_2D"
        and reason(each) is None
        and each.inputs[1].dtype in ("int8", "uint8")
        and tuple(each.inputs[1].shape[1:3]) == (1, 1)
        and max(each.node.options["strideH"], each.node.options["strideW"]) > 1
    ]


def _warnings(ops: list[DelegatedOperation]) -> list[str]:
    layers = strides_lost(ops)
    if not layers:
        return []
    return [
        f"LiteRT 2.3 ignores the stride of 1x1 convolutions with integer weights on a GPU, without an error: "
        f"{', '.join(layers)} would be wrong (measured by benchmarks/gpu_quantized.py on an imitated GPU): "
        "ship the fp16 or fp32 file to GPUs."
    ]
