"""A model as plain C: an array, and what a program for TFLite Micro needs to open it."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.literals import c_identifier

PER_LINE = 12
ALIGNMENT = 16
"""Bytes: what TFLite Micro wants of the start of a model (its generate_cc_arrays.py writes the same)."""

METHODS = """
Abs Add AddN ArgMax ArgMin AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo Cast
Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div Elu Equal Exp
ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather GatherNd Greater GreaterEqual
HardSwish L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd LogicalNot LogicalOr
Logistic LogSoftmax Maximum MaxPool2D Mean Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2 Prelu
Quantize ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor
ReverseV2 Round Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt
Square SquaredDifference Squeeze StridedSlice Sub Sum Tanh Transpose TransposeConv Unpack ZerosLike
"""
"""What MicroMutableOpResolver adds, of operators without state
(tensorflow/lite/micro/micro_mutable_op_resolver.h of TFLite Micro, 90b983c2b, August 2026)."""
_IRREGULAR = {"BATCH_MATMUL": "BatchMatMul", "CUMSUM": "CumSum", "PADV2": "PadV2"}

_HEADER = """\
/* A model for TFLite Micro, as an array in C, and the operators that it needs. */
#ifndef {macro}_H_
#define {macro}_H_

#include <stddef.h>

/* Of the array, in bytes. */
#define {macro}_SIZE {size}
/* For tflite::MicroMutableOpResolver<{macro}_OPERATORS>. */
#define {macro}_OPERATORS {count}

#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char {symbol}[];
extern const size_t {symbol}_size;

#ifdef __cplusplus
}} /* extern "C" */

/* Adds every operator of the model, and no other, to a MicroMutableOpResolver; whether all went well. */
template <typename Resolver>
inline bool {symbol}_add_operators(Resolver& resolver) {{
  return {calls};
}}
#endif

#endif /* {macro}_H_ */
"""
_SOURCE = """\
#include "{symbol}.h"

/* TFLite Micro reads the model in place. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define {macro}_ALIGNED alignas({alignment})
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define {macro}_ALIGNED _Alignas({alignment})
#elif defined(__GNUC__)
#define {macro}_ALIGNED __attribute__((aligned({alignment})))
#else
#error "This compiler is older than C11: align the array to {alignment} bytes in its own way."
#endif

{macro}_ALIGNED const unsigned char {symbol}[] = {{
{lines}
}};
const size_t {symbol}_size = {macro}_SIZE;
"""


def c_files(name: str, content: bytes, operators: Iterable[str]) -> dict[str, str]:
    """`model_<name>.h` and `.c`, which hold the bytes of a model with those operators, named as in the
    schema, as an array of that name: a model may be called as a header of the system is (`time`). C from 1990
    on, and C++ from 2011. Raises ArtifactError for an operator that TFLite Micro lacks."""
    symbol = c_identifier(name)
    methods = sorted({_method(operator) for operator in operators})
    lines = [
        "  " + ", ".join(f"0x{byte:02x}" for byte in content[start : start + PER_LINE]) + ","
        for start in range(0, len(content), PER_LINE)
    ]
    values = {
        "symbol": symbol,
        "macro": symbol.upper(),
        "size": len(content),
        "alignment": ALIGNMENT,
        "count": len(methods),
        "calls": " &&\n         ".join(f"resolver.Add{method}() == 0" for method in methods),
        "lines": "\n".join(lines),
    }
    return {f"{symbol}.h": _HEADER.format(**values), f"{symbol}.c": _SOURCE.format(**values)}


def _method(operator: str) -> str:
    parts = operator.split("_")
    usual = "".join(part if part[0].isdigit() else part.capitalize() for part in parts)
    method = _IRREGULAR.get(operator, usual)
    if method not in METHODS.split():
        raise ArtifactError(
            f"TFLite Micro has no operator {operator}: leave the profile out (--profiles), or build the "
            "model without it"
        )
    return method
