"""How far the outputs of a backend may be from the file as it is written, operation by operation.

Data, each with its reason. Accuracy has a limit of its own (--max-drop), and so has what rounding costs (the
schemes' `min_sqnr_db`): here is what kernels may add. Measured by `benchmarks/tolerances.py` on eight
networks, 200 images each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["relative", "steps"]
"""Of the largest output, or of the grid that the outputs are on."""


@dataclass(frozen=True)
class Tolerance:
    """`most`: the largest difference of an output that is no fault, in `unit`."""

    name: str
    unit: Unit
    most: float
    reason: str


FLOAT_ON_CPU = Tolerance(
    "float on a CPU",
    "relative",
    1e-5,
    "at most 6.5e-7 in LiteRT, ONNX Runtime and OpenVINO, fp32 and fp16: sums in another order",
)
FLOAT_ON_GPU = Tolerance(
    "float on a GPU",
    "relative",
    1e-3,
    "a logit of ResNet-50 moves by 4.5e-4 with TF32 off, which it is unless asked for (onnxruntime PR#19357)",
)
TF32 = Tolerance(
    "TF32 on a GPU",
    "relative",
    5e-2,
    "10 bits of mantissa: a logit of ResNet-50 moves by 0.33 (onnxruntime#19288)",
)
INT8 = Tolerance(
    "int8",
    "steps",
    16,
    "at most 1 step in ONNX Runtime, 2 in LiteRT and 6 in OpenVINO, which rounds elsewhere; wrong kernels "
    "are off by more (LiteRT's on a GPU by 89, XNNPACK's on an emulated SME by 251)",
)
ROUNDED = Tolerance(
    "int8 weights with other activations",
    "relative",
    0.1,
    "at most 0.04 with dynamic range, whose activations are rounded anew by each kernel, 0.07 with int16 "
    "activations in float (OpenVINO)",
)


def tolerance(scheme: str, device: str, *, on_a_grid: bool) -> Tolerance:
    """What holds for a scheme on a device; `on_a_grid`: whether its outputs are on one."""
    if "tf32" in device:
        return TF32
    if scheme == "int8" and on_a_grid:
        return INT8
    if scheme in ("int8", "dynamic", "int16x8"):
        return ROUNDED
    return FLOAT_ON_CPU if device == "cpu" else FLOAT_ON_GPU
