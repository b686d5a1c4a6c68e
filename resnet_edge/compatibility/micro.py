"""The oldest TensorFlow Lite Micro for a .tflite file.

It has no releases and looks at no versions, so that its days count. Which types a kernel takes is known of
few; the rest shows when the file is opened (backend tflite_micro). From the tree of 2026-08-20 and its
history (github.com/tensorflow/tflite-micro).
"""

from __future__ import annotations

from typing import Any

from resnet_edge.compatibility.kernels import of_two_types
from resnet_edge.core.minimum import RuntimeMinimum, State
from resnet_edge.graph.versions.needed import TOO_LOW
from resnet_edge.graph.versions.operation import Operation, operations

RUNTIME = "TFLite Micro"
START = "2021-04-09"
"""The day of the first commit of its repository."""
_AT_START = """
ABS ADD ADD_N ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_TO_SPACE_ND CAST CEIL CONCATENATION CONV_2D COS
CUMSUM DEPTHWISE_CONV_2D DEQUANTIZE ELU EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD
FULLY_CONNECTED GREATER GREATER_EQUAL HARD_SWISH L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL
LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL NEG NOT_EQUAL PACK
PAD PADV2 PRELU QUANTIZE REDUCE_MAX RELU RELU6 RESHAPE RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SHAPE SIN
SOFTMAX SPACE_TO_BATCH_ND SPLIT SPLIT_V SQRT SQUARE SQUEEZE STRIDED_SLICE SUB SVDF TANH TRANSPOSE_CONV
UNPACK ZEROS_LIKE
"""
_SINCE_START = frozenset(_AT_START.split())
_SINCE = {
    "ASSIGN_VARIABLE": "2021-09-07",
    "BATCH_MATMUL": "2023-09-06",
    "BROADCAST_ARGS": "2022-03-15",
    "BROADCAST_TO": "2022-03-15",
    "CALL_ONCE": "2021-09-07",
    "DEPTH_TO_SPACE": "2021-04-21",
    "DIV": "2022-07-20",
    "DYNAMIC_UPDATE_SLICE": "2025-11-10",
    "EMBEDDING_LOOKUP": "2023-07-26",
    "GATHER": "2021-05-24",
    "GATHER_ND": "2021-05-03",
    "IF": "2021-05-18",
    "LOG_SOFTMAX": "2022-10-12",
    "MIRROR_PAD": "2022-01-03",
    "READ_VARIABLE": "2021-09-07",
    "REDUCE_ALL": "2026-01-08",
    "REDUCE_MIN": "2025-08-05",
    "RESIZE_BILINEAR": "2021-04-28",
    "REVERSE_V2": "2025-07-10",
    "SELECT_V2": "2022-08-16",
    "SLICE": "2021-10-25",
    "SPACE_TO_DEPTH": "2021-06-21",
    "SQUARED_DIFFERENCE": "2022-08-06",
    "SUM": "2022-07-20",
    "TRANSPOSE": "2021-05-20",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "2021-08-11",
    "VAR_HANDLE": "2021-09-07",
    "WHILE": "2022-03-16",
}
IMAGE_AT = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 2}
"""The input that weights are multiplied with."""
INT8_ON_MORE_AXES = "2022-04-06"
"""The day of tflite-micro#1016: before it, a dense layer in int8 took the first two axes of its output for
the images and the outputs, without an error."""


def minimum(model: Any) -> RuntimeMinimum:
    """Of a `schema.ModelT`. Raises whatever a damaged one leads to."""
    if any(code.customCode for code in model.operatorCodes):
        return _runtime_minimum(
            "unknown", "", "it has custom operators: that depends on what the firmware brings"
        )
    newest, why = START, "it has a kernel for each operator"
    for operation in operations(model):
        if refusal := _refused(operation):
            return _runtime_minimum("never", "", refusal)
        since = START if operation.name in _SINCE_START else _SINCE[operation.name]
        low = next((low for low in TOO_LOW if low.holds(operation)), None)
        reason = f"it has {operation.name}"
        if low is not None:
            since, reason = low.micro, f"{operation.name} {low.why}"
        elif (
            operation.name == "FULLY_CONNECTED" and operation.type() == "int8" and operation.gives_axes() > 2
        ):
            since, reason = INT8_ON_MORE_AXES, "FULLY_CONNECTED is in int8 and gives more than two axes"
        if since > newest:
            newest, why = since, reason
    return _runtime_minimum(
        "at least", newest, f"{why}; whether kernels take its types shows when it is opened"
    )


def _refused(operation: Operation) -> str:
    """Why no kernel takes it; empty where one may."""
    if operation.name not in _SINCE_START and operation.name not in _SINCE:
        return f"it has no kernel for {operation.name or 'an operator newer than those known here'}"
    if of_two_types(operation):
        return f"it has no kernel for {operation.name} with inputs of two types"
    weights, image = operation.input(1), IMAGE_AT.get(operation.name)
    if image is not None and weights is not None and operation.type(image) == "float32" != weights.dtype:
        return f"it has no kernel for {operation.name} in float with {weights.dtype} weights"
    if operation.name == "DEQUANTIZE" and operation.type() == "float16":
        return "it has no kernel for float16 weights"
    return ""


def _runtime_minimum(state: State, version: str, why: str) -> RuntimeMinimum:
    return RuntimeMinimum(runtime=RUNTIME, state=state, version=version, why=why)
