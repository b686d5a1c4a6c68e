"""Whether a quantized graph computes in integers where it counts."""

from __future__ import annotations

from collections.abc import Collection

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import Graph
from resnet_edge.graph.quantization.grids import float_operations, layer_of

HEAVY = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "ADD", "AVERAGE_POOL_2D"}
)


def require_integer(graph: Graph, float_layers: Collection[str] = ()) -> None:
    """Raises ArtifactError that names a convolution, dense layer, addition or average pooling which
    reads or gives float and is not one of `float_layers` (names of outputs), or one of these that
    does not. Other operations may: a softmax, or what TFLite has no integer kernel for."""
    for node in graph.nodes:
        tensors = [graph.tensors[index] for index in (*node.inputs, *node.outputs) if index >= 0]
        name = layer_of(graph, node)
        if node.op not in HEAVY or name in float_layers:
            continue
        if any(tensor.dtype.startswith("float") for tensor in tensors):
            raise ArtifactError(
                f"{node.op} at {name!r} stayed in float: ask for --schemes fp16 or dynamic instead"
            )
    missing = sorted(set(float_layers) - float_operations(graph))
    if missing:
        raise ArtifactError(f"{missing[0]!r} was to stay in float and did not: ask for --no-plan")
