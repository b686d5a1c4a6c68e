"""The error of every layer of a quantized graph against the float graph that it was made from.

Both run on the same images in LiteRT, with every activation kept. A quantized graph calls an
activation as the float graph does, so names tell what belongs together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import centred_scores
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.head import Head
from resnet_edge.core.results.error_growth import LayerError
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.graph.model import Graph, Node, read_graph
from resnet_edge.graph.quantization.calibrate import keeping_all_tensors
from resnet_edge.graph.quantization.grids import MOVES, activations
from resnet_edge.graph.quantization.sensitivity import SQUASHING

SUFFIXES = ("", "_inner", "_quantized")
"""What a name ends in beside where the quantizer or the border (interface.py) put a conversion."""


@dataclass
class _Sums:
    """Over all images: of squares of the float activations and of the errors, and how many values."""

    signal: float = 0.0
    noise: float = 0.0
    values: int = 0


class _Kept:
    """A graph that runs with all of its activations kept."""

    def __init__(self, path: Path) -> None:
        self.graph = read_graph(path)
        try:
            self._interpreter = keeping_all_tensors(path, 1)
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"LiteRT does not open {path.name} to watch its layers: {str(error).strip()[:200]}"
            ) from error

    def run(self, image: NDArray[Any]) -> None:
        (entry,) = self.graph.specs(self.graph.inputs[:1])
        stored = image.astype(entry.dtype)
        # Integers without a scale are pixels as they are.
        if entry.quantization is not None:
            stored = quantize(image.astype(np.float32), entry)
        self._interpreter.set_tensor(self.graph.inputs[0], np.ascontiguousarray(stored))
        self._interpreter.invoke()

    def spec(self, index: int) -> TensorSpec:
        return self.graph.specs((index,))[0]

    def real(self, index: int) -> NDArray[np.float64]:
        """An activation of the last run, as real numbers."""
        values: NDArray[np.float64] = dequantize(
            self._interpreter.get_tensor(index), self.spec(index)
        ).astype(np.float64)
        return values


def measure_error_growth(
    exact: Path, quantized: Path, head: Head, images: Iterable[NDArray[Any]]
) -> tuple[LayerError, ...]:
    """Every layer that both graphs have, in the order of execution; each image is (1, H, W, C).

    `exact` is a float graph of the same layers, of which `quantized` is a rounded version, and both end in
    `head`. Raises
    ArtifactError, and DataError where there is no image or no layer in common.
    """
    ours, theirs = _Kept(quantized), _Kept(exact)
    pairs = dict(_pairs(theirs.graph, ours.graph))
    sums = _summed(theirs, ours, pairs, head, images)
    if not all(one.values for one in sums.values()) or not sums:
        what = "image" if sums else "layer that the float graph has, too"
        raise DataError(f"{quantized.name}: there is no {what}, so nothing to measure errors on")
    decibels = {index: _decibels(one) for index, one in sums.items()}
    return tuple(
        LayerError(
            theirs.graph.tensors[index].name.split(";")[0].removesuffix("_inner"),
            decibels[index],
            _read(theirs.graph, index, decibels),
            _steps(sums[index], ours.spec(other)),
        )
        for index, other in pairs.items()
    )


def _summed(
    theirs: _Kept, ours: _Kept, pairs: dict[int, int], head: Head, images: Iterable[NDArray[Any]]
) -> dict[int, _Sums]:
    sums = {index: _Sums() for index in pairs}
    logits = _logits(theirs.graph)
    for image in images:
        ours.run(image)
        theirs.run(image)
        for index, other in pairs.items():
            true, computed = theirs.real(index), ours.real(other)
            if index in logits:
                true, computed = centred_scores(head, true), centred_scores(head, computed)
            _add(sums[index], true, computed)
    return sums


def _pairs(exact: Graph, quantized: Graph) -> Iterator[tuple[int, int]]:
    """The output of every layer in both graphs, by index."""
    known = {tensor.name: index for index, tensor in enumerate(quantized.tensors) if tensor.data is None}
    for node in exact.nodes:
        index = node.outputs[0]
        if node.op in MOVES or not exact.tensors[index].dtype.startswith("float"):
            continue
        if index in exact.outputs:
            yield index, quantized.outputs[exact.outputs.index(index)]
            continue
        names = (exact.tensors[index].name + suffix for suffix in SUFFIXES)
        other = next((known[name] for name in names if name in known), None)
        if other is not None:
            yield index, other


def _logits(graph: Graph) -> set[int]:
    """The output, where it is logits: its SQNR is that of the proof."""
    return {i for n in graph.nodes if n.op not in SQUASHING for i in n.outputs if i in graph.outputs}


def _add(sums: _Sums, true: NDArray[np.float64], computed: NDArray[np.float64]) -> None:
    sums.signal += float(np.square(true).sum())
    sums.noise += float(np.square(true - computed).sum())
    sums.values += true.size


def _decibels(sums: _Sums) -> float | None:
    finite = math.isfinite(sums.signal) and math.isfinite(sums.noise)
    return sqnr_db(sums.signal, sums.noise) if finite else None


def _steps(sums: _Sums, spec: TensorSpec) -> float | None:
    if spec.quantization is None or spec.dtype.startswith("float") or not math.isfinite(sums.noise):
        return None
    return math.sqrt(sums.noise / max(sums.values, 1)) / spec.quantization.scale[0]


def _read(graph: Graph, index: int, decibels: dict[int, float | None]) -> float | None:
    """The least SQNR of what the layer of an output reads; None where that is the image."""
    makers = {output: node for node in graph.nodes for output in node.outputs}
    ratios = [decibels[source] for source in _sources(graph, makers, makers[index]) if source in decibels]
    return min((value for value in ratios if value is not None), default=None)


def _sources(graph: Graph, makers: dict[int, Node], node: Node) -> Iterator[int]:
    """The activations that it reads, before anything that only moved them."""
    for index in activations(graph, node):
        maker = makers.get(index)
        if index in node.outputs:
            continue
        if maker is not None and maker.op in MOVES:
            yield from _sources(graph, makers, maker)
        else:
            yield index
