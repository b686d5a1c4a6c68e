"""What LiteRT computes with on the CPU: the dtypes of the file, which it keeps, in XNNPACK or in kernels of
its own."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.backends._border import check_file
from resnet_edge.core.results.execution import OperatorRun
from resnet_edge.core.results.inspection import joined, turned
from resnet_edge.graph.delegated import taken_by_xnnpack
from resnet_edge.graph.macs import FLOAT, macs
from resnet_edge.graph.model import ABSENT, Graph, Node, read_graph

OWN = "LiteRT"


def executed_by(path: Path, kernels: str) -> tuple[OperatorRun, ...]:
    """By `kernels`, and by XNNPACK what that takes where they are LiteRT's own. Raises ArtifactError."""
    check_file(path)
    graph = read_graph(path)
    taken = taken_by_xnnpack(path, len(graph.nodes))[0] if kernels == OWN else set()
    return tuple(
        _run(graph, node, "XNNPACK" if index in taken else kernels) for index, node in enumerate(graph.nodes)
    )


def _run(graph: Graph, node: Node, by: str) -> OperatorRun:
    given = [graph.tensors[index] for index in node.inputs if index != ABSENT]
    outputs = [graph.tensors[index] for index in node.outputs]
    layer = outputs[0].name.split(";")[0] if outputs else ""
    if work := macs(graph, node):
        kernel = given[1].dtype if given[1].data is None else str(given[1].data.dtype)
        # Float activations are quantized by the kernel where the weights are integers.
        return OperatorRun(
            layer=layer,
            op=node.op,
            precision=joined(given[0].dtype, kernel),
            by=by,
            macs=work,
            integer=kernel not in FLOAT,
        )
    before = next((tensor.dtype for tensor in given if tensor.data is None), outputs[0].dtype)
    return OperatorRun(
        layer=layer, op=node.op, precision=turned(before, outputs[0].dtype), by=by, macs=0, integer=False
    )
