"""What each operator of an .onnx file takes in ONNX Runtime, as its own profiler tells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from resnet_edge.core.results.profile import OperatorTime

_END = "_kernel_time"
FUSED = frozenset({"Clip", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Tanh"})
"""Activations that a convolution takes in (onnxruntime/core/optimizer/conv_activation_fusion.cc)."""
_GIVEN = re.compile(r"(_token_\d+|_nchwc|_quant|_fused|_qdq)+$")
"""What fusing appends to the name of a node."""


def read_profile(path: Path, artifact: Path) -> tuple[OperatorTime, ...]:
    """The operators in the order of execution, from the file that `end_profiling` named.

    `artifact` tells the sizes of kernels that were packed away. The clock has whole microseconds, and
    what is given is the mean over the middle half of all inferences.
    """
    taken: dict[tuple[str, str], list[float]] = {}
    macs: dict[tuple[str, str], int] = {}
    kernels = kernels_of(artifact)
    for event in json.loads(path.read_text("utf-8")):
        name = timed_node(str(event.get("name", "")))
        if event.get("cat") == "Node" and name is not None:
            key = name, str(event["args"]["op_name"])
            taken.setdefault(key, []).append(float(event["dur"]))
            macs[key] = macs_of(event["args"], kernels.get(named(name), ()), packed=is_packed(name))
    return tuple(
        OperatorTime(layer_of(name), kind, _middle(times), macs[name, kind])
        for (name, kind), times in taken.items()
    )


def timed_node(event: str) -> str | None:
    """The name of the node that an event times as a whole."""
    return event.removesuffix(_END) if event.endswith(_END) else None


def _middle(times: list[float]) -> float:
    quarter = len(times) // 4
    return float(np.sort(times)[quarter : len(times) - quarter].mean())


def layer_of(name: str) -> str:
    """The layer that a node belongs to: our writer names a node <layer>/<operator>, and what an end of the
    graph converts <end>_inner."""
    return named(name).rpartition("/")[0].removesuffix("_inner")


def named(name: str) -> str:
    """The name that the file gives a node."""
    return _GIVEN.sub("", name)


def is_packed(name: str) -> bool:
    """Whether a convolution runs on blocks of channels (NCHWc), whose last is filled up."""
    return "_nchwc" in name


def kernels_of(artifact: Path) -> dict[str, tuple[int, ...]]:
    """By the name of a convolution, the shape (O, I, ...) of its kernel as the file has it; also by the name
    of what it gives, and of what an activation makes of that: so ONNX Runtime calls what it packs."""
    graph = onnx.load(str(artifact), load_external_data=False).graph
    makers = {name: node for node in graph.node for name in node.output}
    shapes = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    kernels: dict[str, tuple[int, ...]] = {}
    for node in graph.node:
        if node.op_type == "Conv":
            name = node.input[1]
            while name not in shapes and name in makers:  # behind a DequantizeLinear
                name = makers[name].input[0]
            kernels |= dict.fromkeys((node.name, node.output[0]), shapes.get(name, ()))
        elif node.op_type in FUSED and node.input[0] in kernels:
            kernels[node.output[0]] = kernels[node.input[0]]
    return kernels


def macs_of(arguments: Mapping[str, Any], kernel: tuple[int, ...] = (), *, packed: bool = False) -> int:
    """Multiply-accumulates for one image, of what an event tells. `kernel` is that of a convolution as the
    file has it, where it is known: the event's may be `packed`, with channels of zeros, or not be there."""
    kind = str(arguments["op_name"])
    shapes = [*_shapes(arguments.get("input_type_shape", ()))]
    (output, *_) = [*_shapes(arguments.get("output_type_shape", ()))] or [[]]
    if "Conv" in kind:
        if kernel and packed:
            return math.prod(kernel) * math.prod(output[2:])
        declared = next((tuple(shape) for shape in shapes[1:] if len(shape) == 4), ())
        used = kernel or declared
        return math.prod(used[1:]) * math.prod(output[1:]) if used else 0
    if "Gemm" in kind or "MatMul" in kind:  # the matrix is packed away: it has no shape here
        return math.prod(shapes[0][1:]) * math.prod(output[1:])
    return 0


def _shapes(typed_shapes: Iterable[dict[str, list[int]]]) -> Iterable[list[int]]:
    return (shape for entry in typed_shapes for shape in entry.values())
