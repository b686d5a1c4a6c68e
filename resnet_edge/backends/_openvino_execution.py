"""What OpenVINO computes with: its runtime model tells the primitive of each operation
(https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes/cpu-device.html)."""

from __future__ import annotations

import math
from typing import Any

from resnet_edge.core.results.execution import OperatorRun

WITH_WEIGHTS = frozenset({"Convolution", "FullyConnected", "MatMul"})
SILENT = frozenset({"Const", "Input", "Output", "Reshape"})


def executed_by(compiled: Any) -> tuple[OperatorRun, ...]:
    """The operations of an ov.CompiledModel."""
    nodes = compiled.get_runtime_model().get_ordered_ops()
    return tuple(run for node in nodes if (run := _run(node)) is not None)


def _run(node: Any) -> OperatorRun | None:
    info = {key: value.astype(str) for key, value in node.get_rt_info().items()}
    kind, primitive = info["layerType"], info["primitiveType"]
    if kind in SILENT:
        return None
    layer = info.get("originalLayersNames", "").split(",")[0] or node.get_friendly_name()
    integer = kind in WITH_WEIGHTS and primitive.lower().endswith("_i8")
    work = _macs(node) if kind in WITH_WEIGHTS else 0
    return OperatorRun(
        layer=layer, op=kind, precision=info["runtimePrecision"], by=primitive, macs=work, integer=integer
    )


def _macs(node: Any) -> int:
    """For one image. Weights are (O, I, ...) or, in groups, (G, O / G, I / G, ...)."""
    output = [_length(size) for size in node.get_output_partial_shape(0)]
    weights = [_length(size) for size in node.input(1).get_partial_shape()]
    channels = output[1] if node.get_rt_info()["layerType"].astype(str) == "Convolution" else output[-1]
    return math.prod(weights) // max(1, channels) * math.prod(output[1:])


def _length(size: Any) -> int:
    return int(size.get_length()) if size.is_static else 1
