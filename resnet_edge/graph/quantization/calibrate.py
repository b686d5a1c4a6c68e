"""What the activations of the portable graph are like on representative data, in one pass."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.graph.model import ABSENT, Graph, read_graph
from resnet_edge.graph.quantization.histogram import GRID, Distribution, Histogram
from resnet_edge.graph.quantization.moments import Moments, plan, watch
from resnet_edge.graph.quantization.weighted import Layer, layers

Ranges = dict[str, tuple[float, float]]
KEEPING_ALL_TENSORS = "Warning: Enabling `experimental_preserve_all_tensors`"
"""How LiteRT begins its warning about the memory that this takes: here it is what we want."""
SAMPLE, SAMPLE_OF_IMAGE = 1 << 19, (1 << 9, 1 << 13)
"""About how many values of a tensor its histogram counts, in all and of one image: all of a
small tensor, and of a large one whole pixels at equal distances, which start elsewhere in each
image. The extremes are those of all values."""


@dataclass(frozen=True)
class Activation:
    """One tensor: the extremes `low`, `high` (C,) of each channel over all values, and the
    histogram of a sample. Multiplied by `scales` (C,) (equalize.py) it is what it would be then."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    histogram: Histogram | None
    scales: NDArray[np.float64]

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest value of the tensor."""
        return float((self.low * self.scales).min()), float((self.high * self.scales).max())

    @property
    def magnitude(self) -> NDArray[np.float64]:
        """The largest magnitude in each channel (C,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high)) * self.scales

    def distribution(self, counted: bool = True) -> Distribution:
        """How the values are spread; only the limits, with nothing counted, unless `counted`."""
        if not counted:
            return Distribution(*self.limits, np.zeros(GRID), 0.0)
        assert self.histogram is not None  # measure() was asked for histograms
        return self.histogram.distribution(self.low, self.high, self.scales)


@dataclass(frozen=True)
class Measured:
    """What one pass found: tensors by name, moments by the index of a layer's node, and the
    outputs of the float graph (N, classes) for the images in their order. `fixed` holds the
    ranges that are known without measuring: that of raw pixels."""

    activations: dict[str, Activation]
    moments: dict[int, Moments]
    outputs: NDArray[np.float32]
    fixed: Ranges

    def limits(self) -> Ranges:
        """The (min, max) of every activation."""
        return {name: one.limits for name, one in self.activations.items()} | self.fixed

    def scaled(self, scales: Mapping[str, NDArray[np.float64]]) -> Measured:
        """What the pass would have found had the channels of some tensors other scales."""
        changed = {n: replace(self.activations[n], scales=s) for n, s in scales.items()}
        return replace(self, activations=self.activations | changed)


def measure(
    float_model: Path,
    images: Iterable[NDArray[np.float32]],
    *,
    takes_pixels: bool,
    threads: int,
    histograms: bool = False,
    second_moments: Callable[[Layer], bool] | None = None,
    count: int = 0,
) -> Measured:
    """Run the float graph once over `images` (each (1, H, W, C)) and watch its activations.

    Memory is bounded by one image's activations and the sums, whatever the number of images.
    Histograms are kept where asked for; moments where `second_moments` says of which layers
    it wants the second ones; `count` is the number of images, which settles how much each adds
    to histograms and moments. Extremes do not depend on the order of the images. Where the graph takes raw
    pixels its input range is 0 to 255 whatever the images show, so that the input scale is
    exactly 1. Raises DataError where there is no image, or where an activation is not finite.
    """
    watcher = _Pass(float_model, threads, histograms, second_moments, count)
    for image in images:
        watcher.see(image)
    if not watcher.seen:
        raise DataError("there is no calibration image: give some with --calibration")
    return watcher.measured(takes_pixels)


def measure_ranges(
    float_model: Path, images: Iterable[NDArray[np.float32]], *, takes_pixels: bool, threads: int
) -> Ranges:
    """The (min, max) of every activation of the float graph over `images`, as `measure` has them."""
    return measure(float_model, images, takes_pixels=takes_pixels, threads=threads).limits()


class _Pass:
    """The sums of one pass."""

    def __init__(
        self,
        float_model: Path,
        threads: int,
        histograms: bool,
        second_moments: Callable[[Layer], bool] | None,
        count: int,
    ) -> None:
        self.graph = read_graph(float_model)
        self.interpreter = keeping_all_tensors(float_model, threads)
        self.watched = _activations(self.graph)
        self.low: dict[int, NDArray[Any]] = {}
        self.high: dict[int, NDArray[Any]] = {}
        self.histograms: dict[int, Histogram] | None = {} if histograms else None
        self.moments = {} if second_moments is None else watch(layers(self.graph), second_moments)
        self.every, self.patches = plan(count)
        self.sample = int(np.clip(SAMPLE // max(count, 1), *SAMPLE_OF_IMAGE))
        self.outputs: list[NDArray[np.float32]] = []

    @property
    def seen(self) -> int:
        return len(self.outputs)

    def see(self, image: NDArray[np.float32]) -> None:
        self.interpreter.set_tensor(self.graph.inputs[0], image)
        self.interpreter.invoke()
        for index in self.watched:
            self._watch(index)
        random = np.random.default_rng(self.seen)
        for moments in self.moments.values():
            self._sample(moments, random)
        self.outputs.append(self.interpreter.get_tensor(self.graph.outputs[0])[0])

    def _watch(self, index: int) -> None:
        """Take in one tensor, read in place: the view must not outlive this call, or the
        interpreter refuses its next run."""
        values = self.interpreter.tensor(index)()
        channels = values.shape[-1] if values.ndim else 1
        rows = values.reshape(-1, channels)
        low, high = rows.min(axis=0), rows.max(axis=0)
        if not (math.isfinite(low.min()) and math.isfinite(high.max())):  # so are all between
            raise DataError(
                f"the float model gives NaN or Inf at {self.graph.tensors[index].name!r} on image "
                f"{self.seen} of those that calibrate: leave it out of --calibration (or --data), or "
                "correct what makes that tensor"
            )
        if index in self.low:
            low, high = np.minimum(self.low[index], low), np.maximum(self.high[index], high)
        self.low[index], self.high[index] = low, high
        if self.histograms is not None:
            if index not in self.histograms:
                self.histograms[index] = Histogram(channels)
            width = values.shape[-2] if values.ndim > 2 else 1
            self.histograms[index].add(
                _spread(rows, width, self.sample, self.seen), np.maximum(np.abs(low), np.abs(high))
            )

    def _sample(self, moments: Moments, random: np.random.Generator) -> None:
        if self.seen % self.every and moments.layer.op != "FULLY_CONNECTED":
            return
        node = self.graph.nodes[moments.layer.index]
        shape = self.interpreter.tensor(node.outputs[0])().shape
        size = (shape[1], shape[2]) if len(shape) == 4 else (1, 1)
        moments.add(self.interpreter.tensor(node.inputs[0])(), size, random, self.patches)

    def measured(self, takes_pixels: bool) -> Measured:
        activations = {
            self.graph.tensors[i].name: Activation(
                self.low[i].astype(np.float64),
                self.high[i].astype(np.float64),
                None if self.histograms is None else self.histograms[i],
                np.ones(len(self.low[i])),
            )
            for i in self.watched
        }
        entry = self.graph.tensors[self.graph.inputs[0]].name
        fixed = {entry: (0.0, 255.0)} if takes_pixels else {}
        return Measured(activations, self.moments, np.stack(self.outputs), fixed)


def _spread(rows: NDArray[np.float32], width: int, sample: int, seed: int) -> NDArray[np.float32]:
    """About `sample` values out of `rows` (pixels, C), as whole rows at equal distances.

    The distance has no divisor in common with the image's width: else all would come from
    the same columns.
    """
    distance = max(1, len(rows) * rows.shape[1] // sample)
    while distance < len(rows) and math.gcd(distance, width) > 1:
        distance += 1
    return rows[seed * 7 % min(distance, len(rows)) :: distance]


def keeping_all_tensors(model: Path | bytes, threads: int) -> Interpreter:
    """An interpreter of a file, or of its content, whose activations can be read after each run."""
    source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KEEPING_ALL_TENSORS)
        interpreter = Interpreter(**source, num_threads=threads, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    return interpreter


def _activations(graph: Graph) -> list[int]:
    """Every float tensor that is not a constant, in order of first use."""
    seen = dict.fromkeys(graph.inputs)
    for node in graph.nodes:
        seen.update(dict.fromkeys(i for i in (*node.inputs, *node.outputs) if i != ABSENT))
    return [i for i in seen if graph.tensors[i].data is None and graph.tensors[i].dtype == "float32"]
