"""What the parent asks for when plain int8 misses the budget, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Choices:
    """From nothing in float on, each with more than the one before; measured on `n` images."""

    choices: tuple[FloatChoice, ...]
    n: int


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


@dataclass(frozen=True)
class FloatChoice:
    """Layers to leave in float by their outputs, the share of multiply-accumulates that is then
    left in int8, and the SQNR of the logits that is to be expected, in dB."""

    float_layers: tuple[str, ...]
    int8_macs: float
    expected_sqnr_db: float
