"""What the parent asks about the activation ranges that quantization-aware training has learned."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Placed:
    """Where the ranges by tensor are: of so many `layers`, for so many `tensors`."""

    ranges: str
    layers: int
    tensors: int

    def sentence(self) -> str:
        """What a report says of int8 artifacts."""
        return (
            f"the activation ranges of {self.layers} layers were learned by qat and are in the "
            "int8 artifacts; the calibration images gave those of the other tensors alone"
        )


@dataclass(frozen=True, kw_only=True)
class PlaceLearnedRanges(
    Task[Placed],
    runs="resnet_edge.calibrate.learned:place",
    reads=(
        "portable",
        "learned",
    ),
    writes=("out",),
):
    """calibrate.learned: the ranges in `learned` (.npz) by tensor of the float graph `portable`, to
    `out` (JSON)."""

    portable: str
    learned: str
    out: str
