"""Which activations of a graph share a grid once it is int8, and who makes and reads them.

Operations that only move numbers (padding, max-pooling, reshaping) leave them on their grid, so
what is before and behind them is rounded once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from resnet_edge.graph.model import ABSENT, Graph, Node

MOVES = frozenset(
    {"PAD", "PADV2", "MIRROR_PAD", "MAX_POOL_2D", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"}
    | {"STRIDED_SLICE", "SLICE", "CONCATENATION", "SPLIT", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE"}
)


@dataclass(frozen=True)
class Grid:
    """One grid. `roots` are the tensors that are rounded to it; operations are numbered as in the
    graph: `makers` compute the roots (none computes the image), `readers` compute with what is on
    the grid (nothing does with the logits), and `moves` are in between."""

    roots: tuple[int, ...]
    makers: frozenset[int]
    readers: frozenset[int]
    moves: frozenset[int]


def layer_of(graph: Graph, node: Node) -> str:
    """What an operation is called here: the name of its first output."""
    return graph.tensors[node.outputs[0]].name


def float_operations(graph: Graph) -> frozenset[str]:
    """The operations of a quantized graph, by `layer_of`, that compute in float: all of whose
    activations are real numbers."""
    return frozenset(
        layer_of(graph, node)
        for node in graph.nodes
        if node.op not in ("QUANTIZE", "DEQUANTIZE")
        and all(graph.tensors[i].dtype.startswith("float") for i in activations(graph, node))
    )


def grids(graph: Graph, integer: Collection[int]) -> tuple[Grid, ...]:
    """The grids of the float `graph` when the operations `integer` (by number) are int8."""
    home = {i: i for n in integer for i in activations(graph, graph.nodes[n])}
    for n in sorted(n for n in integer if graph.nodes[n].op in MOVES):
        first, *others = {home[i] for i in activations(graph, graph.nodes[n])}
        home = {i: first if h in others else h for i, h in home.items()}
    makers = {i: n for n in integer for i in graph.nodes[n].outputs}
    return tuple(_grid(graph, integer, makers, members) for members in _grouped(home))


def _grouped(home: dict[int, int]) -> Iterable[list[int]]:
    groups: dict[int, list[int]] = {}
    for index, first in sorted(home.items()):
        groups.setdefault(first, []).append(index)
    return groups.values()


def _grid(graph: Graph, integer: Collection[int], makers: dict[int, int], members: list[int]) -> Grid:
    moved = {n for i in members if (n := makers.get(i)) is not None and graph.nodes[n].op in MOVES}
    roots = tuple(i for i in members if makers.get(i) not in moved)
    readers = {n for n in integer if set(members) & set(graph.nodes[n].inputs)} - moved
    return Grid(
        roots, frozenset(makers[i] for i in roots if i in makers), frozenset(readers), frozenset(moved)
    )


def activations(graph: Graph, node: Node) -> Iterator[int]:
    """The inputs and outputs of an operation that are no constants and no shapes."""
    for index in (*node.inputs, *node.outputs):
        tensor = graph.tensors[index]
        if index != ABSENT and tensor.data is None and tensor.dtype not in ("int32", "int64", "bool"):
            yield index
