"""What a defect needs of a file, whatever its format: layers, weights, grids and windows as plain numbers.

Kernels are (out, height, width, in) here, dense layers with one row and column. Weights are real numbers
with the scale that they are stored with, so that a change can be to the numbers, the scale, or both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Of a quantized activation: one step, the stored value of zero, the lowest and highest stored value."""

    scale: float
    zero_point: int
    low: int
    high: int

    @property
    def starts_at_zero(self) -> bool:
        """Whether no number below zero can be stored: then there is a ReLU, written or not."""
        return self.zero_point == self.low


@dataclass(frozen=True)
class Window:
    """How a convolution moves over its input: sizes as (height, width)."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    result: tuple[int, int]
    before: tuple[int, int]
    """Rows above and columns left of the image that the first window covers."""

    def moved(self, down: int, right: int) -> tuple[tuple[int, int, int], ...]:
        """For height and width: what to cut off at the beginning, to pad there, and to pad at the end, so
        that every window lies that much further and the result keeps its size."""
        cuts = []
        for axis, by in enumerate((down, right)):
            begin = self.before[axis] - by
            used = (self.result[axis] - 1) * self.strides[axis] + self.kernel[axis]
            cuts.append((max(0, -begin), max(0, begin), max(0, used - self.size[axis] - begin)))
        return tuple(cuts)


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer: its number among them in execution order, the name of the operation's
    output, and all tensors that hold its result (behind a ReLU, on a grid, back from it)."""

    ordinal: int
    output: str
    names: tuple[str, ...]
    relu: bool
    window: Window | None
    """None: a dense layer."""
    grid: Grid | None
    grid_is_its_own: bool
    """False where an operation that only moves numbers passes the grid on."""


@dataclass(frozen=True)
class Weights:
    """`kernel` is (O, H, W, I); `bias` and `scale` are (O,), None where there is none or it is float."""

    kernel: Real
    bias: Real | None
    scale: Real | None


class GoodFile(ABC):
    """An opened artifact with float input and output, that can be changed and saved."""

    def __init__(self, path: Path, scheme: str) -> None:
        self.path, self.scheme = path, scheme
        self.added: list[str] = []
        """Tensors that a defect has put in."""

    layers: tuple[Layer, ...]
    image: tuple[int, int, int]
    """Height, width and channels of the input."""
    ends: tuple[str, str]
    """The names of the input and the output."""
    suffix: str

    @property
    def integer(self) -> bool:
        """Whether weights are stored as integers."""
        return self.scheme in ("dynamic", "int8", "int16x8")

    @abstractmethod
    def weights(self, layer: Layer) -> Weights:
        """Real numbers of a layer."""

    @abstractmethod
    def put(self, layer: Layer, weights: Weights) -> None:
        """Store them; integers are rounded to `weights.scale`, and biases to what belongs to it."""

    @abstractmethod
    def put_grid(self, layer: Layer, scale: float, zero_point: int, *, consistent: bool) -> None:
        """Give the layer's output another grid. `consistent`: whoever makes and whoever reads it knows,
        biases of the readers included. Otherwise only what a careless tool would change does."""

    @abstractmethod
    def set_relu(self, layer: Layer, on: bool) -> None:
        """Add or remove the ReLU behind a layer, without a change of its grid."""

    @abstractmethod
    def move_window(self, layer: Layer, down: int, right: int) -> None:
        """Let a convolution look further down and right, at a result of the same size."""

    @abstractmethod
    def scale_image(self, factor: Real, offset: Real) -> None:
        """Put image * factor + offset, per channel, before the network."""

    @abstractmethod
    def resize_image(self, size: int, way: str, back: str) -> None:
        """Resize the image to `size` and back: `nearest`, `bilinear` (of pixel centres), `corners`
        (bilinear with aligned corners) or `asymmetric` (bilinear of pixel corners)."""

    @abstractmethod
    def leave_in_float(self, layer: Layer) -> None:
        """Let a quantized layer compute in float, between the grids that there are."""

    @abstractmethod
    def operations(self, name: str) -> Sequence[Layer]:
        """`add` of two results, `softmax`, `padded_pool` (average pooling over a padded border), `resize`
        (bilinear), `transposed` (convolution), `prelu`, or `epsilon` (the addition of a constant under a
        root, in float)."""

    @abstractmethod
    def lose_branch(self, layer: Layer, branch: int) -> None:
        """Let an `add` read zeros for one of its two inputs."""

    @abstractmethod
    def turn_softmax(self, layer: Layer) -> None:
        """Let a `softmax` run over the one image of the batch instead of over the classes."""

    @abstractmethod
    def count_padding(self, layer: Layer) -> None:
        """Let a `padded_pool` count the padding as zeros."""

    @abstractmethod
    def resize_by_nearest(self, layer: Layer) -> None:
        """Let a `resize` take the nearest pixel."""

    @abstractmethod
    def scale_constant(self, layer: Layer, factor: float) -> None:
        """Multiply the constant of a `transposed`."""

    @abstractmethod
    def roll_constant(self, layer: Layer, by: int) -> None:
        """Move the slopes of a `prelu` along the channels."""

    @abstractmethod
    def set_constant(self, layer: Layer, value: float) -> float:
        """Give an `epsilon` another value; what it was."""

    @abstractmethod
    def take_size(self, size: int) -> None:
        """Take square images of another size, and resize them to what the network wants."""

    @abstractmethod
    def save(self, out: Path) -> None:
        """Write the file."""


Where = Callable[[GoodFile], Sequence[Layer]]
Breaks = Callable[[GoodFile, Layer, np.random.Generator, int], str]


@dataclass(frozen=True)
class Kind:
    """`where` gives the layers of a file that it can break, none where it does not apply; `breaks` breaks
    one and tells what it did; `place`: `layer`, or `input` or `output` for what lies at the border."""

    name: str
    imitates: str
    where: Where
    breaks: Breaks
    place: str = "layer"
    needs_sibling: bool = False
    fits: bool = True
    """Whether the file still takes the images of the good one."""


def to_integers(values: Real, scale: Real, dtype: str, lowest: int | None = None) -> NDArray[Any]:
    """Rounded to a grid, the first axis has the channels; weights leave out the lowest integer."""
    info = np.iinfo(dtype)
    steps = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1)))
    return np.clip(steps, info.min if lowest is None else lowest, info.max).astype(dtype)
