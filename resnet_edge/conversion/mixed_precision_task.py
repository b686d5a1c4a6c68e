"""What the parent asks for when plain int8 misses the budget, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.core.errors import UsageError
from resnet_edge.core.head import Head
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Choices:
    """From nothing in float on, each with more than the one before; measured on `n` images."""

    choices: tuple[FloatChoice, ...]
    n: int

    def after(self, steps: int) -> FloatChoice:
        """The one of so many steps. Raises UsageError where there are fewer."""
        if steps >= len(self.choices):
            raise UsageError(
                f"--float-layers {steps}: after {len(self.choices) - 1} steps nothing is left in int8: give "
                "fewer, or the scheme fp32"
            )
        return self.choices[steps]


@dataclass(frozen=True, kw_only=True)
class ChooseFloatLayers(
    Task[Choices],
    runs="resnet_edge.conversion.mixed_precision_choices:choose",
    reads=(
        "exact",
        "repaired",
        "ranges",
        "images",
    ),
    writes=("folder",),
):
    """conversion.mixed_precision_choices: which layers to leave in float.

    `exact` and `repaired` are float portable graphs (.tflite) of the same operations: the model
    itself, and the one that int8 is made from; `ranges` as calibrate.calibration wrote them;
    `images` .npy (N, H, W, C). Nothing but integers may stand at the border unless `io` is float32.
    """

    exact: str
    repaired: str
    ranges: str
    scheme: str
    head: Head
    io: Io
    images: str
    threads: int
    folder: str
    dense_scales: DenseScales = "per-tensor"

    @classmethod
    def of(
        cls,
        calibrated: Calibration,
        images: str,
        scheme: str,
        head: Head,
        folder: str,
        io: Io = "float32",
        dense_scales: DenseScales = "per-tensor",
    ) -> ChooseFloatLayers:
        """Of what was `calibrated`, measured on the `images` (.npy) of the calibration, on all cores."""
        return cls(
            exact=calibrated.exact,
            repaired=calibrated.portable,
            ranges=calibrated.ranges,
            scheme=scheme,
            head=head,
            io=io,
            images=images,
            threads=usable_cores(),
            folder=folder,
            dense_scales=dense_scales,
        )


@dataclass(frozen=True)
class FloatChoice:
    """Layers to leave in float by their outputs, the share of multiply-accumulates that is then
    left in int8, and the SQNR of the logits that is to be expected, in dB."""

    float_layers: tuple[str, ...]
    int8_macs: float
    expected_sqnr_db: float
