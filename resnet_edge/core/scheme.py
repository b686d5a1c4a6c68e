"""How an artifact represents its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Io = Literal["float32", "uint8", "int8"]
"""The dtype of an artifact's input and output."""
DenseScales = Literal["per-tensor", "per-channel"]
"""Whether all outputs of a dense layer share one int8 scale, or each has its own. Shared by default: runtimes
before TensorFlow 2.10 (int8, int16x8) and 2.16 (dynamic) read the first output's for all, and answer at
chance."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Intent, not mechanism: a format decides how to reach it, or refuses.

    `weights`, `activations`: the dtype in which they are stored and computed ("float32"
    activations with "int8" weights is dynamic range quantization). `min_sqnr_db` is the
    signal-to-noise ratio on logits that the rounding of float32 leaves (evaluation/float_rounding.py);
    below it the proof fails whatever the top-1 says. None of coarser types: what their rounding
    costs is a matter of the network (honest int8 files of benchmarks/false_alarms.py have 7 to 45 dB,
    float16 ones 35 and more), and the answers judge it. `dense_scales`: of int8 weights of dense layers.
    """

    title: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "float16", "int8", "int16"]
    needs_calibration: bool
    min_sqnr_db: float | None = None
    dense_scales: DenseScales = "per-tensor"

    def fineness(self) -> tuple[int, int]:
        """Bits of weights, then of activations, by which schemes can be put in order."""
        weights, activations = (_bits(dtype) for dtype in (self.weights, self.activations))
        return weights, activations


def _bits(dtype: str) -> int:
    return int(dtype.lstrip("intfloa"))
