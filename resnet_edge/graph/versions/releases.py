"""The releases of TensorFlow Lite and LiteRT that came with each version of each builtin operator.

Measured: every operator in every version was offered to the runtimes in `MEASURED`, each of which takes it
or says that it has none such (benchmarks/operator_versions.py). Between and before these, releases are
those that TensorFlow names itself (tensorflow/compiler/mlir/lite/tools/versioning/runtime_version.cc, at
2.23). That table is early or late in 38 places, all corrected here: it says 2.11 of FULLY_CONNECTED in
version 10, which came with 2.13.
"""

from __future__ import annotations

from resnet_edge.core.minimum import release_key

MEASURED = {
    "TensorFlow Lite": "1.14, 1.15, 2.1 to 2.21",
    "LiteRT": "1.0 to 1.4, 2.0 to 2.3",
}
"""tflite-runtime from 2.7 to 2.14, TensorFlow, and ai-edge-litert."""

FIRST_LITERT = "1.0"
NONE = "-"

_TABLE = """
ABS 1.13 2.4 2.5 2.6 2.12
ADD 1.5 1.14 2.4 2.4 2.13 -/2.2
ADD_N 1.14
ARG_MAX 1.9 1.14 2.9
ARG_MIN 1.9 1.14 2.9
ASSIGN_VARIABLE 2.6
ATAN2 2.10
AVERAGE_POOL_2D 1.5 1.14 2.3
BATCH_MATMUL 2.3 2.3 2.4 2.5
BATCH_TO_SPACE_ND 1.6 1.14 2.3 2.13
BIDIRECTIONAL_SEQUENCE_LSTM 1.14 1.14 1.14
BIDIRECTIONAL_SEQUENCE_RNN 1.14 1.14 2.4
BITCAST 2.13
BITWISE_XOR 2.13
BROADCAST_ARGS 2.7
BROADCAST_TO - 2.5 2.5 -/2.2
BUCKETIZE 2.8
CALL_ONCE 2.5
CAST 1.5 2.7 2.8 2.9 2.13 2.15 2.19/1.1 2.21/2.1 -/2.2
CEIL 1.14
COMPLEX_ABS 2.5
CONCATENATION 1.5 1.14 2.3 2.14 2.21/2.2 -/2.2 -/2.2
CONV_2D 1.5 1.14 1.14 2.3 2.4 2.9 2.12 2.15
CONV_3D 2.5
CONV_3D_TRANSPOSE 2.6
COS 1.14 -/2.2
CUMSUM 2.4
DENSIFY 2.2
DEPTHWISE_CONV_2D 1.5 1.12 1.14 2.3 2.3 2.4 2.13
DEPTH_TO_SPACE 1.15 2.5
DEQUANTIZE 1.13 1.14 1.15 1.15 2.7 2.18 2.21/2.1 -/2.2 -/2.2
DILATE 2.15
DIV 1.6 2.3
DYNAMIC_UPDATE_SLICE 2.9 2.18 2.19/1.1 2.20/1.3 2.21/2.2 -/2.2
ELU 1.14
EMBEDDING_LOOKUP 1.13 1.14 1.14 2.18 2.21/2.2
EMBEDDING_LOOKUP_SPARSE 1.5
EQUAL 1.14 1.14 2.3 2.13 2.21/2.1
EXP 1.7 2.13
EXPAND_DIMS 1.10
FAKE_QUANT 1.5 1.10
FILL 1.13 2.3 2.5 2.12 -/2.2
FLOOR 1.9
FLOOR_DIV 1.14 1.14 2.13
FLOOR_MOD 1.13 2.13
FULLY_CONNECTED 1.5 1.10 1.14 1.14 1.15 1.15 2.3 2.3 2.4 2.13 2.15 2.17 2.18 2.21/2.1
GATHER 1.6 1.14 1.15 2.4 2.5 2.13 2.15 -/2.2
GATHER_ND 1.14 2.3 2.5 2.13 2.16 -/2.2
GELU 2.8 2.9 -/2.2
GREATER 1.14 1.14
GREATER_EQUAL 1.14 1.14 2.13
HARD_SWISH 1.15
HASHTABLE 2.5
HASHTABLE_FIND 2.5
HASHTABLE_IMPORT 2.5
HASHTABLE_LOOKUP 1.5
HASHTABLE_SIZE 2.5
IF 1.15
IMAG 2.5
L2_NORMALIZATION 1.5 1.14
L2_POOL_2D 1.5
LEAKY_RELU 1.13 2.3
LESS 1.14 1.14 2.13
LESS_EQUAL 1.14 1.14
LOCAL_RESPONSE_NORMALIZATION 1.5
LOG 1.14 2.15
LOGICAL_AND 1.11
LOGICAL_NOT 1.11
LOGICAL_OR 1.11
LOGISTIC 1.14 1.14 2.3
LOG_SOFTMAX 1.14 1.14
LSH_PROJECTION 1.5
LSTM 1.7 1.10 1.14 2.4
MATRIX_DIAG 1.14
MATRIX_SET_DIAG 1.14
MAXIMUM 1.14 1.14 2.3 2.3
MAX_POOL_2D 1.5 1.14 2.3
MEAN 1.6 1.14 2.4
MINIMUM 1.14 1.14 2.3 2.3
MIRROR_PAD 1.13 2.3 2.13
MUL 1.5 1.14 1.15 2.3 2.6 2.11 2.13 -/2.2
MULTINOMIAL 2.8
NEG 1.9
NON_MAX_SUPPRESSION_V4 2.1
NON_MAX_SUPPRESSION_V5 2.1
NOT_EQUAL 1.14 1.14 2.3 2.21/2.1
ONE_HOT 1.11
PACK 1.11 1.14 2.3 2.14 -/2.2
PAD 1.5 1.14 2.4 2.6 2.20/2.0 -/2.2
PADV2 1.9 1.14 2.4 2.6 2.20/2.0 -/2.2
POW 1.10
PRELU 1.8
QUANTIZE 1.14 1.15 2.7 2.21/2.1 -/2.2 -/2.2
RANDOM_STANDARD_NORMAL 2.7
RANDOM_UNIFORM 2.8
RANGE 1.13 2.14
RANK 1.14
READ_VARIABLE 2.6
REAL 2.5
REDUCE_ALL 2.6
REDUCE_ANY 1.11
REDUCE_MAX 1.11 1.14 2.5
REDUCE_MIN 1.11 1.14 2.5
REDUCE_PROD 1.11 2.7
REDUCE_WINDOW 2.15
RELU 1.5 2.1 2.5
RELU6 1.5 1.14 2.5
RELU_0_TO_1 2.10
RELU_N1_TO_1 1.5
RESHAPE 1.5
RESIZE_BILINEAR 1.7 1.14 2.2 2.5
RESIZE_NEAREST_NEIGHBOR 1.13 1.14 2.3 2.4
REVERSE_SEQUENCE 1.14
REVERSE_V2 1.14 2.2 2.5 -/2.2
RFFT2D 2.5
RIGHT_SHIFT 2.13
RNN 1.5 1.14 2.4
ROUND 1.14
RSQRT 1.10 2.5 2.15
SCATTER_ND 2.1
SEGMENT_SUM 2.2
SELECT 1.14 1.14 2.12 2.14
SELECT_V2 2.2 2.14
SHAPE 1.10
SIGN 2.11 2.12
SIN 1.9 -/2.2
SKIP_GRAM 1.5
SLICE 1.14 1.14 1.14 2.4 2.5 2.14 2.21/2.1 -/2.2
SOFTMAX 1.5 1.14 2.3 -/2.2
SPACE_TO_BATCH_ND 1.6 1.14 2.3 2.13
SPACE_TO_DEPTH 1.5 1.14
SPARSE_TO_DENSE 1.9 1.14 1.15
SPLIT 1.5 1.14 1.14 2.3 -/2.2
SPLIT_V 1.13 2.3 -/2.2
SQRT 1.10 2.21/2.0
SQUARE 1.12
SQUARED_DIFFERENCE 1.13 2.5
SQUEEZE 1.6 2.5
STABLEHLO_ADD 2.16
STABLEHLO_AND 2.18/1.1
STABLEHLO_CASE 2.19/1.1
STABLEHLO_COMPOSITE 2.18
STABLEHLO_GATHER 2.16
STABLEHLO_MAXIMUM 2.16
STABLEHLO_MINIMUM 2.16
STABLEHLO_MULTIPLY 2.16
STABLEHLO_PAD 2.16
STABLEHLO_REDUCE_WINDOW 2.16
STABLEHLO_RNG_BIT_GENERATOR 2.15
STABLEHLO_SCATTER 2.15
STABLEHLO_SHIFT_LEFT 2.18/1.1
STRIDED_SLICE 1.6 1.14 2.1 2.2 2.5 2.6 2.14 2.14
SUB 1.6 1.14 2.3 2.4 2.4
SUM 1.10 1.15
SVDF 1.5 1.14 2.3 2.4
TANH 1.14 1.14 2.3
TILE 1.10 2.2 2.8
TOPK_V2 1.7 1.14 2.13
TRANSPOSE 1.6 1.14 1.15 2.3 2.4 2.12 2.20/1.2 -/2.2 -/2.2
TRANSPOSE_CONV 1.9 2.2 2.3 2.12 2.15
UNIDIRECTIONAL_SEQUENCE_LSTM 1.13 1.14 2.4 2.12
UNIDIRECTIONAL_SEQUENCE_RNN 1.14 1.14 2.4
UNIQUE 1.14
UNPACK 1.11 1.14 2.2 2.3 -/2.2 -/2.2
UNSORTED_SEGMENT_MAX 2.10
UNSORTED_SEGMENT_MIN 2.11
UNSORTED_SEGMENT_PROD 2.10
UNSORTED_SEGMENT_SUM 2.10
VAR_HANDLE 2.6
WHERE 1.14 2.8
WHILE 1.15
ZEROS_LIKE 1.12
"""
_RELEASES: dict[str, list[str]] = {
    name: releases for name, *releases in (line.split() for line in _TABLE.strip().splitlines())
}
"""By operator, from version 1 on: the release of TensorFlow Lite, and after a stroke that of LiteRT where
the first one does not have it."""


def tensorflow_lite_with(name: str, version: int) -> str | None:
    """The first release of TensorFlow Lite that takes a builtin operator in this version; None where none
    is known."""
    release = _cell(name, version).partition("/")[0]
    return None if release == NONE else release


def litert_with(name: str, version: int) -> str | None:
    """The same of LiteRT."""
    cell = _cell(name, version)
    return None if cell == NONE else cell.partition("/")[2] or FIRST_LITERT


def _cell(name: str, version: int) -> str:
    releases = _RELEASES.get(name, [])
    return releases[version - 1] if 0 < version <= len(releases) else NONE


def latest(releases: list[str]) -> str:
    """The newest of some, of which there is one at least."""
    return max(releases, key=release_key)
