"""What neither the operator set nor the file format tells of ONNX Runtime: which kernels came when.

Measured with the wheels of 1.8 to 1.32 on x86-64: 6,200 files of one operator each, of sets 11 to 26, in
float32, int8, uint8, int32, int64 and float64, and 400 in float16 with 1.12 to 1.17. Each was held against
what 1.32 gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from resnet_edge.compatibility.onnx_operation import ONNX_DOMAINS, OnnxOperation

NEVER = "-"
"""In place of a release: none up to the newest that was tried."""
_SETS = """
1.16 AveragePool.19 Cast.19 CastLike.19 DequantizeLinear.19 Identity.19 If.19 Pad.19 QuantizeLinear.19
1.16 Reshape.19 Shape.19
1.20 QLinearMatMul.21
1.24 QuantizeLinear.23
1.25 DeformConv.19 DeformConv.22 LpNormalization.22 TensorScatter.24
- GlobalLpPool.22 ImageDecoder.20 RoiAlign.22
"""
BY_SET = {
    (name, int(since)): release
    for release, *rest in (line.split() for line in _SETS.strip().splitlines())
    for name, _, since in (word.partition(".") for word in rest)
}
"""The first release with a kernel, by operator and by the set that brought its version."""
_TYPES = """
1.9 Split.int8
1.10 Slice.int8 Slice.uint8
1.14 Clip.int32
1.11 ArgMax.int8 ArgMax.uint8 MatMulInteger.int8 QLinearConv.int8 QLinearMatMul.int8 Resize.int8
1.21 Add.int8 Add.uint8 Div.int8 Div.uint8 Equal.int8 Equal.uint8 Greater.int8 Greater.uint8 Mul.int8
1.21 Mul.uint8 Sub.int8 Sub.uint8 DepthToSpace.uint8
1.24 Max.int8 Max.uint8 Min.int8 Min.uint8
1.26 TopK.int8 TopK.uint8
1.28 DepthToSpace.int8 SpaceToDepth.int8 SpaceToDepth.uint8
- AveragePool.float64 Conv.float64 Gemm.int32 Gemm.int64 GlobalAveragePool.float64
- Resize.float64 Resize.int64
"""
BY_TYPE = {
    (name, dtype): release
    for release, *rest in (line.split() for line in _TYPES.strip().splitlines())
    for name, _, dtype in (word.partition(".") for word in rest)
}
"""The same, by operator and the dtype of its first input."""
_TRIED = """
int8,uint8 Abs Cast Clip Concat DequantizeLinear Expand Flatten Gather Identity MaxPool Neg Pad ReduceMax
int8,uint8 ReduceMin Relu Reshape Sign Split Tile Transpose ConvInteger MatMulInteger QLinearConv
int8,uint8 QLinearMatMul Resize Slice Where
float64 Abs Add Cast Clip Div Gemm MatMul Max MaxPool Min Mul Neg Pad ReduceMax ReduceSum Relu Sigmoid
float64 Sign Softmax Transpose Where
int16,uint16 DequantizeLinear
"""
TRIED = {
    (name, dtype)
    for dtypes, *names in (line.split() for line in _TRIED.strip().splitlines())
    for dtype in dtypes.split(",")
    for name in names
} | BY_TYPE.keys()
_PLAIN = frozenset({"", "float32", "float16", "int32", "int64", "bool", "object"})
"""What sizes and indices are computed in, what is computed as float32 where there is no kernel (float16),
and what is not known."""
_MOVED = frozenset({"Unsqueeze", "Squeeze", "Reshape", "Identity", "Flatten", "Shape", "Size", "Constant"})
"""Which move numbers of whatever type, or none."""
_FUSED_WRONGLY = frozenset({"Add", "Concat", "MatMul", "Mul"})
_HALF = frozenset(
    {"Elu", "HardSigmoid", "HardSwish", "Relu", "Selu", "Softplus", "Softsign", "ThresholdedRelu"}
)


@dataclass(frozen=True, kw_only=True)
class LateOperation:
    """An operation that releases before `since` refuse, compute wrongly, or end on."""

    holds: Callable[[OnnxOperation], bool]
    since: str
    why: str


LATE_KERNELS = (
    LateOperation(
        # https://github.com/microsoft/onnxruntime/issues/15494; Softplus is refused there. 1.12 and 1.13 are
        # right, but a minimum is a promise for every newer release.
        holds=lambda o: o.name in _HALF and o.type() == "float16" and (o.name != "Relu" or o.since >= 14),
        since="1.15",
        why="is in float16, on which 1.14 ends its process",
    ),
    LateOperation(
        holds=lambda o: o.name == "ConvInteger" and o.type(1) == "int8",
        since="1.24",
        why="has int8 weights, whose kernel came later than the operator",
    ),
    # Without a kernel a release computes an operator by its definition, where the file is of that very set.
    LateOperation(
        holds=lambda o: o.name == "Relu" and o.type() == "int64",
        since="1.17",
        why="is in int64, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name == "Relu" and o.type() == "int64" and o.opset != 18,
        since=NEVER,
        why="has no kernel in int64",
    ),
    LateOperation(
        holds=lambda o: o.name == "Swish" and o.opset != 24,
        since=NEVER,
        why="has no kernel in a file of a newer set than its own",
    ),
    LateOperation(
        holds=lambda o: o.name in ("CenterCropPad", "GroupNormalization") and o.opset == 19,
        since="1.16",
        why="is made of operators of set 19, whose kernels came later",
    ),
    LateOperation(
        holds=lambda o: o.name == "MatMul" and o.opset >= 21 and o.is_quantized("uint8"),
        since="1.20",
        why="is fused to a QLinearMatMul of set 21, whose kernel came later than the operator",
    ),
    LateOperation(  # what another domain's operators give is not known from the file, a zero point is
        holds=lambda o: (
            o.node.domain == "com.microsoft" and o.node.op_type == "QGemm" and o.type(2) == "int8"
        ),
        since="1.11",
        why="is in int8, whose kernel came later than the operator",
    ),
    LateOperation(
        holds=lambda o: o.name == "Where" and o.type(1) == "int8",
        since="1.31",
        why="is in int8, whose kernel came later than the operator",
    ),
    LateOperation(
        holds=lambda o: o.name == "Clip" and o.type() == "int32" and o.since == 12,
        since="1.15",
        why="is in int32, whose kernel came later than the operator",
    ),
    LateOperation(
        holds=lambda o: (
            o.name == "ConvTranspose" and o.attribute("output_shape") is None and o.pads_one_side_more
        ),
        since="1.13",
        why="pads one side more, and older ones take the other, without an error",
    ),
    LateOperation(
        holds=lambda o: o.name == "ConvTranspose" and o.pads_one_side_more and o.attribute("output_shape"),
        since="1.14",
        why="is given an output size that pads one side more, older ones take the other, without an error",
    ),
    LateOperation(
        holds=lambda o: o.name == "Resize" and o.resizes_channels_last,
        since="1.12",
        why="resizes the second of four axes, which 1.10 and 1.11 compute wrongly, without an error",
    ),
    LateOperation(
        holds=lambda o: (
            o.name.startswith("Reduce") and bool(o.attribute("noop_with_empty_axes")) and not o.gives(1)
        ),
        since="1.24",
        why="is to change nothing without axes, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name == "QuantizeLinear" and not o.gives(2) and o.since < 13,
        since="1.11",
        why="has no zero point, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name == "QuantizeLinear" and not o.gives(2),
        since="1.9",
        why="has no zero point, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name == "Reshape" and bool(o.attribute("allowzero")),
        since="1.11",
        why="allows sizes of zero, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name in ("QuantizeLinear", "DequantizeLinear") and bool(o.attribute("block_size")),
        since="1.19",
        why="has scales of blocks, which older ones do not take",
    ),
    LateOperation(
        holds=lambda o: o.name in _FUSED_WRONGLY and o.reads_one_dequantized_twice,
        since="1.15",
        why="reads one DequantizeLinear twice, on which 1.9 to 1.14 fail when they fuse it",
    ),
)


def late_by_set(name: str, since: int) -> tuple[str, str] | None:
    """The first release with a kernel for an operator of ai.onnx, and why; None where the set tells."""
    release = BY_SET.get((name, since))
    if release is None:
        return None
    if release == NEVER:
        return release, f"it has no kernel for {name} of set {since}"
    return release, f"it has {name} of set {since}, whose kernel came later than the operator"


def late_kernels(operation: OnnxOperation) -> Iterator[tuple[str, str]]:
    """Releases that an operation asks for, and why."""
    name, dtype = operation.name, operation.type()
    if not operation.is_specified:
        yield NEVER, f"ONNX has no {name} of set {operation.since} in {dtype}"
    if by_set := late_by_set(name, operation.since):
        yield by_set
    if release := BY_TYPE.get((name, dtype)):
        yield (
            release,
            (
                f"it has no kernel for {name} in {dtype}"
                if release == NEVER
                else f"{name} is in {dtype}, whose kernel came later than the operator"
            ),
        )
    yield from (
        (late.since, f"{operation.node.op_type} {late.why}") for late in LATE_KERNELS if late.holds(operation)
    )


def untried(operation: OnnxOperation) -> str:
    """The dtype of its first input where it is not known which releases have a kernel for that; else
    empty."""
    dtype = operation.type()
    if operation.node.domain not in ONNX_DOMAINS or dtype in _PLAIN or operation.name in _MOVED:
        return ""
    return "" if (operation.name, dtype) in TRIED else dtype
