"""Which layers to leave in float so that the int8 graph loses least: a sequence of choices, each
with more of them than the one before.

Greedy: what takes most noise away for the multiply-accumulates that it takes out of int8 comes
next. A layer alone saves its kernel; an activation is saved when both those who make it and those
who read it are in float, so they are also taken together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from resnet_edge.core.statistics import sqnr_db
from resnet_edge.graph.model import Graph, Node
from resnet_edge.graph.quantization.grids import Grid, layer_of
from resnet_edge.graph.quantization.sensitivity import Sensitivity

LEAST_INT8 = 0.5
"""Share of the multiply-accumulates that stays int8. A file with less of them is nearer to a float
file in size and speed, and fp16 keeps its accuracy for the same."""
BORDER = 0.005
"""What it costs to leave anything in float, as a share of all multiply-accumulates: numbers are
converted on both sides, and no runtime fuses over a border."""
WORTH_A_STEP_DB = 0.25


@dataclass(frozen=True)
class Choice:
    """Layers to leave in float, by the names of their outputs; the share of multiply-accumulates
    that is left in int8, and the SQNR of the logits that is to be expected, in dB."""

    float_layers: tuple[str, ...]
    int8_macs: float
    expected_sqnr_db: float


def choices(graph: Graph, sensitivity: Sensitivity, frozen: Collection[str] = ()) -> tuple[Choice, ...]:
    """From nothing in float to LEAST_INT8 of the multiply-accumulates; `frozen` layers stay int8."""
    search = _Search(
        graph, sensitivity, {n for n, node in enumerate(graph.nodes) if layer_of(graph, node) in frozen}
    )
    steps = [search.choice()]
    last = steps[0]
    while search.step():
        last = search.choice()
        if last.expected_sqnr_db >= steps[-1].expected_sqnr_db + WORTH_A_STEP_DB:
            steps.append(last)
    return tuple(steps)


class _Search:
    """The operations that are in float so far, by number."""

    def __init__(self, graph: Graph, sensitivity: Sensitivity, kept: Collection[int]) -> None:
        self._graph, self._sensitivity = graph, sensitivity
        self._macs = [macs_of(graph, node) for node in graph.nodes]
        self._total = sum(self._macs) or 1
        self._moves = [move for move in _moves(sensitivity) if not move & set(kept)]
        self._float: frozenset[int] = frozenset()

    def choice(self) -> Choice:
        noise = _noise(self._sensitivity, self._float)
        return Choice(
            tuple(layer_of(self._graph, self._graph.nodes[n]) for n in sorted(self._float)),
            self._share(self._float),
            sqnr_db(self._sensitivity.signal, noise),
        )

    def step(self) -> bool:
        """Take the best move; False where none helps or none is affordable."""
        before = _noise(self._sensitivity, self._float)
        best, most = self._float, 0.0
        for move in self._moves:
            after = self._with_what_is_between(self._float | move)
            if after == self._float or self._share(after) < LEAST_INT8:
                continue
            lost = self._share(self._float) - self._share(after) + BORDER
            worth = (before - _noise(self._sensitivity, after)) / lost
            if worth > most:
                best, most = after, worth
        changed = best != self._float
        self._float = best
        return changed

    def _share(self, chosen: frozenset[int]) -> float:
        return 1 - sum(self._macs[n] for n in chosen) / self._total

    def _with_what_is_between(self, chosen: frozenset[int]) -> frozenset[int]:
        """Operations that only move numbers stay in float where all around them do."""
        between = {n for grid in self._sensitivity.grids if _free(grid, chosen) for n in grid.moves}
        return chosen | between


def _moves(sensitivity: Sensitivity) -> Iterator[frozenset[int]]:
    yield from (frozenset({n}) for n in sensitivity.constants)
    for grid in sensitivity.grids:
        yield grid.makers | grid.readers
        yield from (grid.makers | {n} for n in grid.readers if len(grid.readers) > 1)


def _noise(sensitivity: Sensitivity, chosen: frozenset[int]) -> float:
    kernels = sum(noise for n, noise in sensitivity.constants.items() if n not in chosen)
    return kernels + sum(_noise_on(sensitivity, grid, chosen) for grid in sensitivity.grids)


def _noise_on(sensitivity: Sensitivity, grid: Grid, chosen: frozenset[int]) -> float:
    if _free(grid, chosen):
        return 0.0
    whole, left = sensitivity.grids[grid], grid.readers - chosen
    if not grid.makers <= chosen or left == grid.readers:
        return whole
    return min(whole, sum(sensitivity.readers.get((grid, n), whole) for n in left))


def _free(grid: Grid, chosen: frozenset[int]) -> bool:
    """Whether nothing rounds to the grid any more."""
    return grid.makers <= chosen and grid.readers <= chosen


def macs_of(graph: Graph, node: Node) -> int:
    """Multiply-accumulates of one image: of convolutions and dense layers, as papers count them."""
    if node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"):
        return 0
    kernel = graph.tensors[node.inputs[1]].shape
    at = graph.tensors[node.inputs[2] if node.op == "TRANSPOSE_CONV" else node.outputs[0]].shape
    positions = math.prod(size or 1 for size in at[1:-1])
    return positions * math.prod(size or 1 for size in kernel)
