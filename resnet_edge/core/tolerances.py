"""How far the outputs of a backend may be from the file as it is written, operation by operation.

Data, each with its reason. Accuracy has a limit of its own (--max-drop), and so has what rounding costs (the
schemes' `min_sqnr_db`): here is what kernels may add, as the root of the mean square of all outputs. The
largest difference would not do: where a network is hardly sure, one rounding moves a logit by 23 steps.
Measured by `benchmarks/tolerances.py` on eight networks, 200 images each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.scheme import Scheme

MAX_DROP_PP = 0.5
"""Of an accuracy, in percentage points: --max-drop, where the user gives none."""

Unit = Literal["relative", "steps"]
"""Of the root mean square of the outputs themselves, or of the grid that they are on."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """`most`: what is no fault, in `unit`; or so many `times` what the rounding of the file itself makes,
    where that is more (0: it makes none)."""

    name: str
    unit: Unit
    most: float
    times: float
    reason: str


FLOAT_ON_CPU = Tolerance(
    name="float on a CPU",
    unit="relative",
    most=1e-4,
    times=0.0,
    reason="at most 5e-7 in LiteRT, ONNX Runtime and OpenVINO, fp32 and fp16 alike, since sums are made "
    "in another "
    "order; 3e-6 in a network whose logits nearly cancel",
)
FLOAT16_ON_CPU = Tolerance(
    name="float16 on a CPU",
    unit="relative",
    most=2.0**-11,
    times=2.0,
    reason="half a step of float16: kernels that sum in float16, or that round what they hand on, round "
    "as the"
    " file's own weights are rounded; files that are summed in float32 are within 5e-7",
)
FLOAT_ON_GPU = Tolerance(
    name="float on a GPU",
    unit="relative",
    most=1e-3,
    times=0.0,
    reason="a logit of ResNet-50 moves by 4.5e-4 with TF32 off, which it is unless asked for "
    "(onnxruntime PR#19357)",
)
TF32 = Tolerance(
    name="TF32 on a GPU",
    unit="relative",
    most=5e-2,
    times=0.0,
    reason="10 bits of mantissa: a logit of ResNet-50 moves by 0.33 (onnxruntime#19288)",
)
INT8 = Tolerance(
    name="int8",
    unit="steps",
    most=2.0,
    times=2.0,
    reason="at most 0.2 steps in ONNX Runtime, 0.6 in LiteRT and 1.2 in OpenVINO, 1.3 times what "
    "rounding makes; "
    "wrong kernels are off by more (LiteRT's on a GPU by up to 89 steps, where 2 are usual)",
)
ROUNDED = Tolerance(
    name="int8 weights with other activations",
    unit="relative",
    most=0.05,
    times=2.0,
    reason="at most 0.01 with dynamic range, whose activations each kernel rounds anew",
)


def tolerance(scheme: Scheme | None, device: str, *, on_a_grid: bool) -> Tolerance:
    """What holds for a scheme (None: one that is not known) on a device; `on_a_grid`: whether its outputs are
    on one."""
    if "tf32" in device:
        return TF32
    if scheme is not None and scheme.weights == "int8":
        return INT8 if scheme.activations == "int8" and on_a_grid else ROUNDED
    if device != "cpu":
        return FLOAT_ON_GPU
    halves = scheme is not None and scheme.weights == "float16"
    return FLOAT16_ON_CPU if halves else FLOAT_ON_CPU
