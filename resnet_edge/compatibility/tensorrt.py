"""Whether TensorRT would take an .onnx file, by its published rules: nothing is run.

- Operators and operator sets: tensorrt_operators.py.
- Quantization: zero points are 0, numbers are signed, uint8 is only an input or an output of the network
  (docs/operators.md of onnx-tensorrt, notes and the rows of QuantizeLinear and DequantizeLinear;
  QuantDequantLinearHelper in
  onnx-tensorrt/onnxOpImporters.cpp;
  https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-quantized-types.html). Scales
  per channel are read as those of a kernel's outputs, the first axis of a Conv's (the comment there).
- Open sizes need an optimization profile
  (https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/python-api/infer/Core/OptimizationProfile.html).

int64 constants are no trouble: 9.0 and later compute in int64, and before they were cast to int32. What a
plugin, the weakly typed mode or a GPU that lacks a type makes of a file is not known from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from resnet_edge.compatibility.onnx_operation import ONNX_DOMAINS
from resnet_edge.compatibility.onnx_values import Values
from resnet_edge.compatibility.tensorrt_operators import (
    NEWEST_LIST,
    NOT_TAKEN,
    OLDEST,
    OPERATORS,
    OPSETS,
)
from resnet_edge.core.minimum import RuntimeMinimum, State, release_key

RUNTIME = "TensorRT"
RESIZE_FROM = frozenset(
    {"half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "asymmetric", "align_corners"}
)
SIGNED = frozenset({"int8", "int4", "float8_e4m3fn", "float4_e2m1fn"})
"""What DequantizeLinear takes, as onnx and ml_dtypes spell it."""
KNOWN, BIAS = "int8, int4, float8 and float4", "int32"
PAIR = frozenset({"QuantizeLinear", "DequantizeLinear"})


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    """`never`: a rule of all releases is against it; else it is a matter of what is not known."""

    why: str
    never: bool = False


def minimum(
    model: onnx.ModelProto,
    values: Values,
    nodes: Iterable[onnx.NodeProto],
    own: frozenset[tuple[str, str]],
) -> RuntimeMinimum:
    """What is known of the file. `nodes` are those of its subgraphs and functions too, `own` the (domain,
    operator) of these functions. Raises whatever a damaged file leads to."""
    all_nodes = [node for node in nodes if (node.domain, node.op_type) not in own]
    troubles = [trouble for rule in RULES for node in all_nodes if (trouble := rule(node, values))]
    first = next((each for each in troubles if each.never), next(iter(troubles), None))
    if first is not None:
        return _runtime_minimum("never" if first.never else "unknown", "", first.why)
    opset = next((each.version for each in model.opset_import if each.domain in ONNX_DOMAINS), 1)
    if opset > max(OPSETS):
        return _runtime_minimum(
            "unknown", "", f"operator set {opset} is newer than any that a release is known to take"
        )
    demands = [(OLDEST, f"it has only what {OLDEST}, the oldest looked at, takes")]
    demands += [(OPSETS[min(top for top in OPSETS if top >= opset)], f"its operators are of set {opset}")]
    demands += [(OPERATORS[n.op_type], f"it has {n.op_type} ({_name(n)})") for n in all_nodes]
    version, why = max(demands, key=lambda demand: release_key(demand[0]))
    return _runtime_minimum("at least", version, why + _open_sizes(model))


def _runtime_minimum(state: State, version: str, why: str) -> RuntimeMinimum:
    return RuntimeMinimum(runtime=RUNTIME, state=state, version=version, why=why)


def _open_sizes(model: onnx.ModelProto) -> str:
    constants = {tensor.name for tensor in model.graph.initializer}
    for entry in model.graph.input:
        sizes = entry.type.tensor_type.shape.dim
        if entry.name not in constants and any(not size.HasField("dim_value") for size in sizes):
            return f"; sizes of {entry.name} are open, and it is built with an optimization profile for them"
    return ""


def _name(node: onnx.NodeProto) -> str:
    return str(node.name or next(iter(node.output), "")) or "without a name"


def _operator(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    what = f"{node.op_type} ({_name(node)})"
    if node.domain not in ONNX_DOMAINS:
        return _Trouble(why=f"{what} is an operator of {node.domain!r}: it needs a plugin of that name")
    if node.op_type in NOT_TAKEN:
        return _Trouble(
            why=f"it has {what}, which no release takes up to {NEWEST_LIST}, the newest known here"
        )
    if node.op_type not in OPERATORS:
        return _Trouble(why=f"{what} is not among the operators known here")
    return None


def _signed(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    """Of QuantizeLinear and DequantizeLinear: the dtype of the integers."""
    if node.op_type not in PAIR:
        return None
    has_zero = len(node.input) > 2 and node.input[2]
    given = next((each.i for each in node.attribute if each.name == "output_dtype"), 0)
    if node.op_type == "DequantizeLinear":
        dtype = values.dtype(node.input[0])
    elif has_zero:
        dtype = values.dtype(node.input[2])
    elif given:
        dtype = str(helper.tensor_dtype_to_np_dtype(given))
    else:
        why = f"{_name(node)} has no zero point: ONNX makes uint8 of that, and TensorRT int8"
        return _Trouble(why=why, never=True)
    if not dtype:
        return _Trouble(why=f"the dtype of {_name(node)} is not known from the file")
    if dtype in SIGNED or dtype == BIAS:
        return None
    verb = "quantizes to" if node.op_type == "QuantizeLinear" else "dequantizes"
    return _Trouble(why=f"{_name(node)} {verb} {dtype}, and TensorRT knows {KNOWN} alone", never=True)


def _float_bias(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    if node.op_type != "DequantizeLinear" or values.dtype(node.input[0]) != BIAS:
        return None
    why = f"{_name(node)} dequantizes {BIAS}, and TensorRT knows {KNOWN} alone: leave biases in float"
    return _Trouble(why=why, never=True)


def _symmetric(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    if node.op_type not in PAIR or len(node.input) < 3 or not node.input[2]:
        return None
    zeros = values.numbers(node.input[2])
    if zeros is None:
        return _Trouble(why=f"the zero point of {_name(node)} is computed or in another file, and must be 0")
    different = zeros.astype(np.float64).ravel()
    different = different[different != 0]
    if not len(different):
        return None
    return _Trouble(why=f"{_name(node)} has the zero point {different[0]:g}, and it must be 0", never=True)


def _per_channel(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    """Several scales: of weights, and for a Conv along its outputs."""
    if node.op_type not in PAIR:
        return None
    scales = values.numbers(node.input[1])
    if scales is None:
        return _Trouble(why=f"the scale of {_name(node)} is computed or in another file")
    if scales.size == 1:
        return None
    if not values.is_constant(node.input[0]):
        return _Trouble(
            why=f"{_name(node)} has {scales.size} scales for an activation, which are for weights"
        )
    axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
    reads = [reader.op_type for reader in values.readers.get(node.output[0], [])]
    if axis != 0 and "Conv" in reads:
        return _Trouble(
            why=f"{_name(node)} has its scales along axis {axis} of a kernel, and 0 has its outputs"
        )
    return None


def _unsigned_inside(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    """uint8 comes in, and may be cast at once; it goes out, and is nowhere else."""
    unsigned = [name for name in node.output if name not in values.ends and values.dtype(name) == "uint8"]
    taken = [n for n in node.input if not values.is_constant(n) and values.dtype(n) == "uint8"]
    if unsigned or (taken and node.op_type not in {"Cast", "CastLike"}):
        why = f"{_name(node)} computes with uint8, which is only an input or an output of the network"
        return _Trouble(why=why, never=True)
    return None


def _attribute(node: onnx.NodeProto, name: str, default: str) -> str:
    return next((each.s.decode() for each in node.attribute if each.name == name), default)


def _restricted(node: onnx.NodeProto, values: Values) -> _Trouble | None:
    """What the column "Restrictions" says of pools and of Resize."""
    trouble = ""
    spread = [size for each in node.attribute if each.name == "dilations" for size in each.ints]
    if node.op_type in {"MaxPool", "AveragePool", "LpPool"} and any(size != 1 for size in spread):
        trouble = "has dilations"
    elif node.op_type == "MaxPool" and len(node.output) > 1 and node.output[1]:
        trouble = "gives indices"
    elif node.op_type == "Resize":
        trouble = _resized(node)
    if not trouble:
        return None
    return _Trouble(why=f"{_name(node)} {trouble}, which no release takes up to {NEWEST_LIST}")


def _resized(node: onnx.NodeProto) -> str:
    mode = _attribute(node, "mode", "nearest")
    start = _attribute(node, "coordinate_transformation_mode", "half_pixel")
    if mode not in {"nearest", "linear"}:
        return f"resizes with {mode}"
    if start not in RESIZE_FROM:
        return f"resizes with {start}"
    return "is antialiased" if any(a.name == "antialias" and a.i for a in node.attribute) else ""


RULES: tuple[Callable[[onnx.NodeProto, Values], _Trouble | None], ...] = (
    _operator,
    _signed,
    _symmetric,
    _unsigned_inside,
    _float_bias,
    _per_channel,
    _restricted,
)
"""The first that finds something is reported; biases after activations, which take a calibration."""
