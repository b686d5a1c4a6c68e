"""How an artifact represents its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Io = Literal["float32", "uint8", "int8"]
"""The dtype of an artifact's input and output."""


@dataclass(frozen=True)
class Scheme:
    """Intent, not mechanism: a format decides how to reach it, or refuses.

    `weights`, `activations`: the dtype in which they are stored and computed ("float32"
    activations with "int8" weights is dynamic range quantization). `min_sqnr_db` is the
    lowest signal-to-quantization-noise ratio on logits that a healthy export reaches, with
    the measurement behind it in `reason`; below it the proof fails whatever the top-1 says.
    """

    title: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "float16", "int8", "int16"]
    needs_calibration: bool
    min_sqnr_db: float
    reason: str
