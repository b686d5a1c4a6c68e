"""The oldest ONNX Runtime for an .onnx or .ort file.

Measured with the wheels of 1.2 to 1.32: files of each version of the operator set and of the file format were
offered to each, and so were the operators of Microsoft's own domain. Which kernels came when is in
onnxruntime_kernels.py. Releases before 1.2 are not told apart from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from resnet_edge.compatibility.onnx_operation import ONNX_DOMAINS, OnnxOperation
from resnet_edge.compatibility.onnxruntime_kernels import NEVER, late_by_set, late_kernels, untried
from resnet_edge.core.minimum import RuntimeMinimum, release_key

RUNTIME = "ONNX Runtime"
FIRST = "1.2"
NEWEST = "1.32"
OPSETS = {
    12: "1.3",
    13: "1.6",
    14: "1.8",
    15: "1.9",
    16: "1.11",
    17: "1.12",
    18: "1.14",
    19: "1.15",
    20: "1.17",
    21: "1.18",
    22: "1.21",
    23: "1.23",
    24: "1.24",
    25: "1.24",
    26: "1.25",
    27: "1.32",
}
"""Of the domain ai.onnx; those of 7 to 11 are in every release."""
ML_OPSETS = {3: "1.11", 4: "1.17", 5: "1.18"}
"""Of the domain ai.onnx.ml."""
IR_VERSIONS = {7: "1.3", 8: "1.9", 9: "1.15", 10: "1.18", 11: "1.23", 12: "1.24", 13: "1.24", 14: "1.32"}
MICROSOFT = "com.microsoft"
_MICROSOFT = """
1.2 Attention AttnLSTM BiasGelu CDist ConvTransposeWithDynamicPads CropAndResize DequantizeLinear
1.2 EmbedLayerNormalization ExpandDims FastGelu FusedConv FusedGemm GatherND Gelu MatMulInteger16
1.2 MaxpoolWithMask MurmurHash3 Pad QLinearAdd QLinearAveragePool QLinearMul QuantizeLinear Range SampleOp
1.2 SkipLayerNormalization Tokenizer Unique WordConvEmbedding
1.3 Inverse QAttention TransposeMatMul
1.4 DynamicQuantizeMatMul MatMulIntegerToFloat QLinearLeakyRelu
1.5 QLinearSigmoid Trilu
1.6 DynamicQuantizeLSTM FusedMatMul QLinearConv QLinearGlobalAveragePool
1.7 NhwcMaxPool
1.8 QLinearConcat
1.9 GridSample NGramRepeatBlock QEmbedLayerNormalization QGemm SparseToDenseMatMul
1.13 GreedySearch QLinearSoftmax
1.14 MultiHeadAttention QLinearWhere QuickGelu Sampling SkipSimplifiedLayerNormalization
1.15 DecoderMaskedMultiHeadAttention
1.16 GroupQueryAttention MatMulBnb4 MatMulFpQ4 MatMulNBits RotaryEmbedding
1.17 DynamicTimeWarping MoE UnfoldTensor WhisperBeamSearch
1.18 QMoE SparseAttention
1.20 GatherBlockQuantized
"""
MICROSOFT_OPS = {
    name: release
    for release, *names in (line.split() for line in _MICROSOFT.split("\n") if line)
    for name in names
}
KNOWN_DOMAINS = ONNX_DOMAINS | {"ai.onnx.ml", MICROSOFT}

ORT_FORMATS = {"1": "1.5", "2": "1.6", "3": "1.7", "4": "1.8", "5": "1.13", "6": "1.16"}
"""Versions of the .ort format. 1 to 3 are refused by 1.8 to 1.13, and 4 by 1.13, in between."""


def of_onnx(opsets: dict[str, int], ir_version: int, operations: Collection[OnnxOperation]) -> RuntimeMinimum:
    """`opsets` by domain; `operations` without those that the file itself defines."""
    demands = [(FIRST, "every release has all that it asks for")]
    for domain, version in opsets.items():
        if domain in ONNX_DOMAINS and version >= min(OPSETS):
            if version not in OPSETS:
                return _unknown(
                    f"operator set {version} is newer than {RUNTIME} {NEWEST}, the newest known here"
                )
            demands.append((OPSETS[version], f"its operators are of set {version}"))
        if domain == "ai.onnx.ml" and version in ML_OPSETS:
            demands.append((ML_OPSETS[version], f"its operators of ai.onnx.ml are of set {version}"))
    if ir_version > max(IR_VERSIONS):
        return _unknown(f"IR version {ir_version} is newer than {RUNTIME} {NEWEST}, the newest known here")
    if ir_version in IR_VERSIONS:
        demands.append((IR_VERSIONS[ir_version], f"its file format is IR version {ir_version}"))
    strange = next((each for each in operations if each.name and not each.since), None)
    if strange is not None:
        what = f"{strange.name} is no operator of ONNX's set {strange.opset}"
        return _unknown(f"{what}: releases refuse it that have none of that name of their own")
    demands += [demand for each in operations for demand in late_kernels(each)]
    names = {(each.node.domain, each.node.op_type) for each in operations}
    doubts = ((each.name, untried(each)) for each in operations)
    doubt = next((f"{name} in {dtype}" for name, dtype in doubts if dtype), "")
    return _newest(demands, names, doubt)


def of_ort(
    format: str,
    opsets: dict[str, int],
    ops: Collection[tuple[str, str]],
    since: Collection[tuple[str, int]] = (),
) -> RuntimeMinimum:
    """Of an .ort file by the version of its format. `ops` as (domain, operator); `since`: operators of
    ai.onnx with the set that brought their version."""
    if format not in ORT_FORMATS:
        return _unknown(f"version {format} of the .ort format is not known here")
    demands = [(ORT_FORMATS[format], f"it is of version {format} of the .ort format")]
    for domain, version in opsets.items():
        if domain in ONNX_DOMAINS and version in OPSETS:
            demands.append((OPSETS[version], f"its operators are of set {version}"))
    demands += filter(None, (late_by_set(name, number) for name, number in since))
    return _newest(demands, ops)


def _newest(
    demands: list[tuple[str, str]], ops: Iterable[tuple[str, str]], doubt: str = ""
) -> RuntimeMinimum:
    for domain, name in sorted(set(ops)):
        if domain not in KNOWN_DOMAINS:
            return _unknown(f"{name} is an operator of {domain!r}: that depends on what the app brings")
        if domain == MICROSOFT and name not in MICROSOFT_OPS:
            return _unknown(f"{name} of {domain} is not among the operators known here")
        if domain == MICROSOFT:
            demands.append((MICROSOFT_OPS[name], f"it has {name} of {domain}"))
    lacking = next((why for release, why in demands if release == NEVER), "")
    if lacking:
        return RuntimeMinimum(runtime=RUNTIME, state="never", version="", why=f"{lacking}, up to {NEWEST}")
    version, why = max(demands, key=lambda demand: release_key(demand[0]))
    if doubt:
        why += f"; which releases compute {doubt} is not known"
    return RuntimeMinimum(runtime=RUNTIME, state="at least" if doubt else "known", version=version, why=why)


def _unknown(why: str) -> RuntimeMinimum:
    return RuntimeMinimum(runtime=RUNTIME, state="unknown", version="", why=why)
