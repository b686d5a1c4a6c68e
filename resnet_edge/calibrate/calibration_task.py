"""What the parent asks of calibrate.calibration, and the ranges it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.head import Head
from resnet_edge.core.scheme import DenseScales
from resnet_edge.workers.task import Task

CalibratorName = Literal["auto", "minmax", "percentile", "mse", "entropy"]


RepairName = Literal["auto", "all", "none"]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The repaired float graph, its ranges (JSON by dtype of the activations), and how they
    were chosen: from `tensors` tensors on `n` images, of which `judged` judged the trials.
    `skipped` tells what the chosen repairs left out. `exact` is the float graph of the same ranges
    without the repairs that fit weights to being rounded: what layers that stay float come from.
    `limits` (JSON, by tensor) and `outputs` (.npy) are what the graph gave as it came. `shared_scale` is
    there where that was asked for and a dense layer with several outputs has one scale for all."""

    portable: str
    exact: str
    ranges: str
    tensors: int
    n: int
    judged: int
    chosen: Trial
    tried: tuple[Trial, ...]
    skipped: tuple[str, ...]
    limits: str
    outputs: str
    shared_scale: SharedScale | None = None


@dataclass(frozen=True, kw_only=True)
class Calibrate(
    Task[Calibration],
    runs="resnet_edge.calibrate.calibration:calibrate",
    reads=(
        "portable",
        "images",
        "fixed",
    ),
    writes=("folder",),
):
    """calibrate.calibration: activation ranges of the float portable graph, and its repairs.

    `images` .npy (N, H, W, C); results go to `folder`. `fixed`: a JSON file of ranges by
    tensor that are taken as they are. `dense_scales`: of the int8 weights that are to be made;
    `compare_dense_scales`: find out what the shared one costs.
    """

    portable: str
    images: str
    takes_pixels: bool
    head: Head
    threads: int
    folder: str
    calibrator: CalibratorName = "auto"
    repair: RepairName = "auto"
    fixed: str | None = None
    dense_scales: DenseScales = "per-tensor"
    compare_dense_scales: bool = False


@dataclass(frozen=True)
class Trial:
    """The int8 graph with these ranges and repairs: its SQNR against the float graph, or None where
    LiteRT refuses it (XNNPACK does where scales lie too far apart)."""

    calibrator: str
    repairs: tuple[str, ...]
    sqnr_db: float | None


@dataclass(frozen=True, kw_only=True)
class SharedScale:
    """What it costs the int8 graph that all outputs of a dense layer share a scale, on `n` calibration
    images: its SQNR against the float graph so (`per_tensor_db`) and with a scale for each
    (`per_channel_db`), and on how many images it answers as the float graph does only with a scale for each
    (`lost`), or only with the shared one (`gained`)."""

    n: int
    per_tensor_db: float
    per_channel_db: float
    lost: int
    gained: int
