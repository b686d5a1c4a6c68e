"""Whether a quantized graph computes in integers where it counts."""

from __future__ import annotations

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import Graph

HEAVY = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "ADD", "AVERAGE_POOL_2D"}
)


def require_integer(graph: Graph) -> None:
    """Raises ArtifactError that names a convolution, dense layer, addition or average pooling which
    reads or gives float. Other operations may: a softmax, or what TFLite has no integer kernel for."""
    for node in graph.nodes:
        tensors = [graph.tensors[index] for index in (*node.inputs, *node.outputs) if index >= 0]
        if node.op in HEAVY and any(tensor.dtype.startswith("float") for tensor in tensors):
            name = graph.tensors[node.outputs[0]].name
            raise ArtifactError(
                f"{node.op} at {name!r} stayed in float: ask for --schemes fp16 or dynamic instead"
            )
