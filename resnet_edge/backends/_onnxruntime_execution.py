"""What ONNX Runtime computes with: the operations of one inference as its profiler tells them, and their
weights from the graph that it has optimized."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from resnet_edge.backends._onnxruntime_profile import (
    is_packed,
    kernels_of,
    layer_of,
    macs_of,
    named,
    timed_node,
)
from resnet_edge.core.results.execution import OperatorRun
from resnet_edge.core.results.inspection import joined, turned
from resnet_edge.graph.macs import INTEGER_OPERATORS, MULTIPLYING, each_product, onnx_constants, weights_at

SHORT = {"float": "float32", "double": "float64"}


def read_execution(profile: Path, optimized: Path, artifact: Path) -> tuple[OperatorRun, ...]:
    """From the file that `end_profiling` named and the one at `optimized_model_filepath`, which was made of
    `artifact`."""
    graph, kernels = onnx.load(str(optimized), load_external_data=False).graph, kernels_of(artifact)
    constants = dict(onnx_constants(graph))
    nodes = {node.name: node for node in graph.node}
    events = json.loads(profile.read_text("utf-8"))
    return tuple(
        _run(name, event["args"], nodes, constants, kernels.get(named(name), ()))
        for event in events
        if event.get("cat") == "Node" and (name := timed_node(str(event.get("name", "")))) is not None
    )


def _run(
    name: str,
    arguments: Mapping[str, Any],
    nodes: Mapping[str, onnx.NodeProto],
    constants: Mapping[str, onnx.TensorProto],
    of_file: tuple[int, ...],
) -> OperatorRun:
    op, by = str(arguments["op_name"]), str(arguments["provider"]).removesuffix("ExecutionProvider")
    given, outputs = (
        [SHORT.get(kind, kind) for entry in arguments.get(side, ()) for kind in entry]
        for side in ("input_type_shape", "output_type_shape")
    )
    layer = layer_of(name)
    if op not in MULTIPLYING and "Gemm" not in op and "Conv" not in op:
        return OperatorRun(
            layer=layer,
            op=op,
            precision=turned((given or outputs)[0], outputs[0]),
            by=by,
            macs=0,
            integer=False,
        )
    node, integer = nodes.get(name), op in INTEGER_OPERATORS
    kernel = None if node is None else constants.get(node.input[weights_at(op)])
    if node is None or kernel is None:  # computed on the way
        return OperatorRun(
            layer=layer,
            op=op,
            precision=joined(given[0], given[-1]),
            by=by,
            macs=macs_of(arguments),
            integer=integer,
        )
    each = each_product(node, tuple(kernel.dims))
    (output,) = arguments["output_type_shape"][0].values()
    work = (
        each * math.prod(output[1:])
        if integer
        else macs_of(arguments, of_file or tuple(kernel.dims), packed=is_packed(name))
    )
    stored = str(onnx.helper.tensor_dtype_to_np_dtype(kernel.data_type))
    return OperatorRun(
        layer=layer, op=op, precision=joined(given[0], stored), by=by, macs=work, integer=integer
    )
