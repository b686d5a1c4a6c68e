"""What an operator's version does not tell: kernels for a type that came without one.

Runtimes without such a kernel open the file and fail when they run it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from resnet_edge.graph.versions.needed import needed_version
from resnet_edge.graph.versions.operation import Operation


@dataclass(frozen=True, kw_only=True)
class LateKernel:
    """A kernel and the releases of TensorFlow Lite and of LiteRT that brought it; None: none did. `why`
    may name the operator, as `{name}`."""

    holds: Callable[[Operation], bool]
    tensorflow_lite: str | None
    litert: str | None
    why: str


def _five_axes(*names: str, dtypes: tuple[str, ...]) -> Callable[[Operation], bool]:
    return lambda o: o.name in names and o.type() in dtypes and o.broadcasts_more_than_four


_OF_ONE_TYPE = {
    (0, 1): "ADD CONCATENATION DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL MAXIMUM "
    "MINIMUM MUL NOT_EQUAL PACK POW SQUARED_DIFFERENCE SUB",
    (0, 2): "PADV2",
    (1, 2): "SELECT SELECT_V2",
}
"""Operators all of whose kernels want two inputs of one type, by which these are. TensorFlow's converter
(2.21) leaves the value of a PADV2 in float32 where all else is int16."""


def of_two_types(operation: Operation) -> bool:
    """Whether two inputs differ in type that no kernel takes unless they are of one."""
    return any(
        operation.name in names.split() and "" != operation.type(one) != operation.type(other) != ""
        for (one, other), names in _OF_ONE_TYPE.items()
    )


LATE_KERNELS = (
    LateKernel(
        holds=of_two_types,
        tensorflow_lite=None,
        litert=None,
        why="{name} has inputs of two types",
    ),
    LateKernel(
        holds=lambda o: o.name == "TRANSPOSE_CONV" and o.type(1) == "int8" and o.type(2) == "float32",
        tensorflow_lite="2.17",
        litert="1.0",
        why="TRANSPOSE_CONV in float has int8 weights",
    ),
    LateKernel(
        holds=lambda o: o.name == "GELU" and o.type() == "int16",
        tensorflow_lite="2.20",
        litert="1.3",
        why="GELU is in int16",
    ),
    LateKernel(
        holds=lambda o: o.name == "TILE" and o.type() == "int16",
        tensorflow_lite="2.21",
        litert="2.2",
        why="TILE is in int16",
    ),
    LateKernel(  # older ones end their process
        holds=_five_axes("MUL", "DIV", dtypes=("float32",)),
        tensorflow_lite="2.8",
        litert="1.0",
        why="it multiplies or divides shapes that differ and have five axes",
    ),
    LateKernel(
        holds=_five_axes("MUL", "DIV", dtypes=("int8", "uint8", "int16")),
        tensorflow_lite="2.15",
        litert="1.0",
        why="it multiplies or divides integers of shapes that differ and have five axes",
    ),
    LateKernel(
        holds=_five_axes("SUB", dtypes=("int8", "uint8", "int16")),
        tensorflow_lite="2.8",
        litert="1.0",
        why="it subtracts integers of shapes that differ and have five axes",
    ),
    LateKernel(
        holds=_five_axes("ADD", dtypes=("int16",)),
        tensorflow_lite="2.13",
        litert="1.0",
        why="it adds int16 of shapes that differ and have five axes",
    ),
    LateKernel(  # TensorFlow 2.21 and LiteRT 2.1 have one that fails where a divisor is stored as 0
        holds=lambda o: o.name == "DIV" and o.type() == "int8",
        tensorflow_lite=None,
        litert="2.2",
        why="DIV is in int8",
    ),
    LateKernel(  # older ones are wrong without an error
        holds=lambda o: o.name == "SUM" and o.type() == "int16",
        tensorflow_lite="2.20",
        litert="1.3",
        why="SUM is in int16",
    ),
    LateKernel(
        holds=lambda o: o.name in ("SCATTER_ND", "SQUARED_DIFFERENCE") and "int16" in (o.type(), o.type(1)),
        tensorflow_lite=None,
        litert=None,
        why="SCATTER_ND or SQUARED_DIFFERENCE is in int16",
    ),
)
"""Measured with tflite-runtime 2.7 to 2.14, TensorFlow 2.15 to 2.21 and ai-edge-litert 1.0 to 2.3."""

_SELDOM = frozenset({"int16", "int4", "int2", "float16", "bfloat16", "uint16", "uint32"})
_ANY_TYPE = frozenset({"EXPAND_DIMS", "RANK", "RESHAPE", "SHAPE", "SQUEEZE"})
"""Which move numbers of whatever type, or none."""


def late_kernel(operation: Operation) -> LateKernel | None:
    """What is known of its kernel; None where its version tells all, or nothing is known."""
    return next((each for each in LATE_KERNELS if each.holds(operation)), None)


def untold(operation: Operation) -> str:
    """The type of an operation's input where no version tells whether there is a kernel for it; else
    empty."""
    dtype, image = operation.type(), operation.input(0)
    if image is None or dtype not in _SELDOM or operation.name in _ANY_TYPE or late_kernel(operation):
        return ""
    as_float = replace(operation, inputs=(replace(image, dtype="float32"), *operation.inputs[1:]))
    return dtype if needed_version(operation) == needed_version(as_float) else ""
