"""How the error of a quantized artifact grows from layer to layer, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerError:
    """The activations of one layer against those of the float graph, over all images.

    `sqnr_db` is the signal over the noise, in decibels (None: a value is not finite), and `read_db` the
    least of the layers that this one reads (None: it reads the image). `steps` is the root of the mean
    square of the error, in steps of the grid that the activations are on (None: they are in float).
    """

    layer: str
    sqnr_db: float | None
    read_db: float | None
    steps: float | None

    @property
    def fall_db(self) -> float | None:
        """How much worse it is than what it reads: what this layer itself adds."""
        if self.sqnr_db is None or self.read_db is None:
            return None
        return self.read_db - self.sqnr_db


@dataclass(frozen=True)
class ErrorGrowth:
    """The layers of one artifact in the order of execution, on `n` images."""

    artifact: str
    n: int
    layers: tuple[LayerError, ...]
