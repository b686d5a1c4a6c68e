"""What a search looked at, and the frontier that came of it (report.json of `search`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.report import StageCost

Objective = Literal["accuracy", "latency", "size", "download"]
Pruning = Literal["none", "channel", "magnitude"]
TrialState = Literal["complete", "worse", "infeasible", "failed"]
FRONTIER, SPACE = "frontier.html", "space.toml"
"""Files that a search leaves beside its report."""
POINTS, NETWORKS = "points", "networks"
"""Folders of what was converted, and of the networks that were changed for it."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One value for each choice; those that another choice leaves nothing to say have the value that they
    have here.

    `input_size` is (H, W), None: as the model has it. `amount` is the share of the MACs (channel) or of the
    weights (magnitude) that goes, `remove_blocks` how many residual blocks; `epochs` of fine-tuning follow,
    and `qat_epochs` of quantization-aware training. In int8, the `float_layers` that cost most stay in
    float."""

    input_size: tuple[int, int] | None = None
    pruning: Pruning = "none"
    amount: float = 0.0
    importance: str = "norm"
    multiple: int = 8
    remove_blocks: int = 0
    epochs: int = 0
    qat_epochs: int = 0
    scheme: str
    float_layers: int = 0
    calibrator: str = "auto"
    repair: str = "auto"

    @property
    def words(self) -> str:
        """In a few words."""
        parts = [self.scheme]
        if self.float_layers:
            parts.append(f"{self.float_layers} step{'s' * (self.float_layers > 1)} of layers in float")
        if self.calibrator != "auto":
            parts.append(f"calibrated by {self.calibrator}")
        if self.repair != "auto":
            parts.append("no repairs" if self.repair == "none" else f"{self.repair} repairs")
        if self.input_size is not None:
            parts.append("input {} x {}".format(*self.input_size))
        if self.amount:
            what = "MACs" if self.pruning == "channel" else "weights"
            parts.append(f"{100 * self.amount:.0f} % of the {what} pruned")
        if self.remove_blocks:
            parts.append(f"{self.remove_blocks} block{'s' * (self.remove_blocks > 1)} removed")
        if self.epochs:
            parts.append(f"{self.epochs} epoch{'s' * (self.epochs > 1)}")
        if self.qat_epochs:
            parts.append(f"{self.qat_epochs} of QAT")
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Screened:
    """One trial. `n` images were looked at; `drop_pp`, in percentage points against the model, has a paired
    95 % interval; `latency_ratio` is against the model's own fp32 file in the same run. `reason`: why it
    left, in a sentence; empty for one that was looked at on all images."""

    number: int
    configuration: Configuration
    state: TrialState
    reason: str = ""
    n: int = 0
    drop_pp: float | None = None
    drop_ci95_pp: tuple[float, float] | None = None
    latency_ratio: float | None = None
    latency_ratio_ci95: tuple[float, float] | None = None
    size_bytes: int | None = None
    download_bytes: int | None = None
    sqnr_db: float | None = None
    macs: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FrontierPoint:
    """A point of the frontier, as its files in `folder` (of the report's) are.

    `top1` and `drop_pp`, with their 95 % intervals, are of `n` images that no trial had seen. `p50_ms` is of
    one run with all points side by side. `equal_to`: points that cannot be told from it in any objective.
    `commands` make the same again. `reasons` say why the verdict is not pass, and `samples_needed` how many
    images would decide an inconclusive one (None: not known). `inputs`: the files, below the folder of the
    report, of the rebuilt network and the resized images that `commands` begin with."""

    number: int
    folder: str
    file: str
    configuration: Configuration
    n: int
    top1: float | None
    top1_ci95: tuple[float, float] | None
    drop_pp: float
    drop_ci95_pp: tuple[float, float]
    p50_ms: float | None
    p50_ci95_ms: tuple[float, float] | None
    size_bytes: int
    download_bytes: int
    macs: int | None
    parameters: int
    verdict: str
    knee: bool = False
    equal_to: tuple[int, ...] = ()
    commands: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    samples_needed: int | None = None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """`searched_on` images chose among `candidates`, and `held_out` others, which no trial saw, gave the
    figures of `points`. `model_point`: the model's own fp32 file, measured with them. `limits` are the
    constraints, as `Limits.given` has them. `space` has the values of each
    choice. `study` is the journal of the trials as it reads from the folder of the report. `doubts`: what
    speaks against the model, to which every point is compared."""

    resnet_edge: str
    versions: dict[str, str]
    machine: dict[str, Any]
    model: ModelFacts
    data: dict[str, Any]
    searched_on: int
    held_out: int
    objectives: tuple[Objective, ...]
    backend: str
    limits: dict[str, float]
    space: dict[str, tuple[Any, ...]]
    candidates: int
    model_point: FrontierPoint
    points: tuple[FrontierPoint, ...]
    trials: tuple[Screened, ...]
    study: str
    seed: int
    equal_within_pp: float
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()
    costs: tuple[StageCost, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)
    kind: Literal["search"] = "search"
    schema: int = 1
