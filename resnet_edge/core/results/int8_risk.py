"""What an int8 ONNX file gives on x86 processors without VNNI, where sums of int8 products overflow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LayerRisk:
    """One layer. Of its `pairs` of weights, `at_risk` can overflow with the activations that uint8 holds;
    `worst` is the largest sum that they allow, as a multiple of what 16 bits hold. `overflowed` is the share
    of the sums of pairs that did on the images."""

    layer: str
    pairs: int
    at_risk: int
    worst: float
    overflowed: float


@dataclass(frozen=True, kw_only=True)
class Way:
    """The answers of the file run in one way, beside what it gives where nothing overflows: `agreement` with
    its 95 % interval, the largest difference of an output, and, where there are labels, `top1`, the drop in
    percentage points and its paired 95 % interval."""

    way: str
    agreement: float
    agreement_ci95: tuple[float, float]
    max_abs: float
    top1: float | None
    drop_pp: float | None
    drop_ci95_pp: tuple[float, float] | None


AS_IT_COMES, SEVEN_BITS = "without VNNI", "weights in 7 bits"
"""The ways: VPMADDUBSW as ONNX Runtime uses it by itself; `reduce_range`, which needs no option."""


@dataclass(frozen=True, kw_only=True)
class Int8Risk:
    """Of one artifact, emulated to the bit on `n` images. `layers` are those whose sums are narrow, in order
    of execution; `ways` is empty where none of them can overflow. `top1` is that of the file where nothing
    overflows. `advice` are sentences; `left_out` names layers that are not emulated."""

    artifact: str
    n: int
    top1: float | None
    layers: tuple[LayerRisk, ...]
    ways: tuple[Way, ...]
    advice: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def at_risk(self) -> tuple[LayerRisk, ...]:
        """The layers that can overflow."""
        return tuple(layer for layer in self.layers if layer.at_risk)
