"""The float graph that an int8 graph with some float layers is made from."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from resnet_edge.graph.model import ABSENT, read_graph
from resnet_edge.graph.quantization.grids import layer_of
from resnet_edge.graph.quantization.weighted import Constants, write_constants


def write_mixture(repaired: Path, exact: Path, float_layers: Collection[str], out: Path) -> None:
    """Write `repaired` to `out`, `float_layers` (by their outputs) with their constants in `exact`.

    Repairs (repairs.py) fit the constants of a layer to being rounded; one that stays in float is
    better off without. Both graphs have the same operations in the same order.
    """
    graph = read_graph(exact)
    constants: Constants = {}
    for number, node in enumerate(graph.nodes):
        if layer_of(graph, node) in float_layers:
            for place, index in enumerate(node.inputs):
                data = None if index == ABSENT else graph.tensors[index].data
                if data is not None and data.dtype == "float32":
                    constants[number, place] = data
    write_constants(repaired, constants, out)
