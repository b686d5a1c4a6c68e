"""Sizes of a graph of any batch that its file leaves open, though the batch alone decides them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from resnet_edge.graph.model import Graph, Tensor
from resnet_edge.graph.quantization.calibrate import keeping_all_tensors

BATCHES = (2, 3)


def with_known_sizes(path: Path, graph: Graph) -> Graph:
    """`graph`, in the file `path`, with every size that is the same for two images and for three.

    A reshape to a shape that the graph computes has no size in the file. Costs two inferences, and nothing
    where every tensor has one open size at most.
    """
    if not any(tensor.shape.count(None) > 1 for tensor in graph.tensors):
        return graph
    sizes = [_sizes(path, graph, batch) for batch in BATCHES]
    return replace(graph, tensors=tuple(_known(*each) for each in zip(graph.tensors, *sizes, strict=True)))


def _sizes(path: Path, graph: Graph, batch: int) -> list[tuple[int, ...]]:
    interpreter = keeping_all_tensors(path, 1)
    entry = graph.inputs[0]
    interpreter.resize_tensor_input(entry, [batch, *interpreter.get_input_details()[0]["shape"][1:]])
    interpreter.allocate_tensors()
    interpreter.invoke()
    shapes = {one["index"]: tuple(map(int, one["shape"])) for one in interpreter.get_tensor_details()}
    return [shapes.get(index, ()) for index in range(len(graph.tensors))]


def _known(tensor: Tensor, two: Iterable[int], three: Iterable[int]) -> Tensor:
    if None not in tensor.shape:
        return tensor
    sizes = tuple(a if a == b else None for a, b in zip(two, three, strict=True))
    return replace(tensor, shape=sizes) if len(sizes) == len(tensor.shape) else tensor
