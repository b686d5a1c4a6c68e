"""Learned activation ranges brought to the tensors of the float portable graph.

The converter names its tensors as it likes, so they are known by what they hold: the same images
go through the Keras model and through the graph, and a tensor that holds what a layer gives has
that layer's range.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.calibrate import KEEPING_ALL_TENSORS, Ranges
from resnet_edge.graph.quantization.grids import activations

TOLERANCE = 1e-3
"""Of the largest magnitude. Float32 noise of two ways to compute a deep network is well below it,
and a step of the int8 grid is four times as much."""


@dataclass(frozen=True)
class Learned:
    """Ranges by layer, and how to tell the layers' tensors: what each gives, (B, ...), on `images`
    (B, H, W, C; what the graph takes). Two images that differ much are enough. A layer in
    `optional` may have no tensor: the converter may have folded it into the next."""

    ranges: Ranges
    images: NDArray[np.float32]
    outputs: dict[str, NDArray[np.float32]]
    optional: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Write it as an .npz."""
        names = list(self.ranges)
        np.savez(
            path,
            *(self.outputs[name] for name in names),
            names=np.array(names),
            ranges=np.array(list(self.ranges.values()), np.float64),
            images=self.images,
            optional=np.array(self.optional, str),
        )


def read_learned(path: Path) -> Learned:
    """What `Learned.save` wrote."""
    with np.load(path) as archive:
        names = [str(name) for name in archive["names"]]
        limits = [(float(low), float(high)) for low, high in archive["ranges"]]
        outputs = {name: archive[f"arr_{number}"] for number, name in enumerate(names)}
        optional = tuple(str(name) for name in archive["optional"])
        return Learned(dict(zip(names, limits, strict=True)), archive["images"], outputs, optional)


def learned_ranges(float_model: Path, learned: Learned) -> Ranges:
    """The range of every tensor of the float graph that holds what a layer gives, by tensor.

    Raises ArtifactError that names a layer which no tensor holds.
    """
    graph = read_graph(float_model)
    watched = list(dict.fromkeys(i for node in graph.nodes for i in activations(graph, node)))
    names = list(learned.ranges)
    apart = np.zeros((len(names), len(watched)))
    for row, held in enumerate(_runs(float_model, graph, learned.images, watched)):
        for number, name in enumerate(names):
            differences = [_difference(learned.outputs[name][row], values) for values in held]
            apart[number] = np.maximum(apart[number], differences)
    _check_match(learned, apart.min(axis=1))
    # Layers that give the same on these images (a ReLU behind a ReLU): the nearest, and of equally
    # near ones the last, as which the tensor is read.
    nearest = len(names) - 1 - apart[::-1].argmin(axis=0)
    return {
        graph.tensors[index].name: learned.ranges[names[layer]]
        for column, (index, layer) in enumerate(zip(watched, nearest, strict=True))
        if apart[layer, column] <= TOLERANCE
    }


def _check_match(learned: Learned, least: NDArray[np.float64]) -> None:
    missing = [name for name, apart in zip(learned.ranges, least, strict=True) if apart > TOLERANCE]
    wanted = [name for name in missing if name not in learned.optional]
    if wanted:
        raise ArtifactError(
            f"no tensor of the converted graph holds what {wanted[0]} gives ({len(wanted)} of "
            f"{len(learned.ranges)} learned ranges have no place): its int8 would not be what qat trained"
        )


def _difference(expected: NDArray[np.float32], held: NDArray[np.float32]) -> float:
    """The largest, relative to the largest magnitude expected."""
    if expected.shape != held.shape:
        return float("inf")
    scale = float(np.abs(expected).max()) or 1.0
    return float(np.abs(held - expected).max()) / scale


def _runs(
    float_model: Path, graph: Graph, images: NDArray[np.float32], watched: list[int]
) -> Iterator[list[NDArray[np.float32]]]:
    """What the tensors hold, without the batch, for one image after the other."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KEEPING_ALL_TENSORS)
        interpreter = Interpreter(str(float_model), num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    for image in images:
        interpreter.set_tensor(graph.inputs[0], image[None])
        interpreter.invoke()
        yield [interpreter.get_tensor(index)[0] for index in watched]
