"""What the parent asks of its workers, and what it gets back.

Plain values, so that the parent need not import the modules that do the work: those import
numpy or a framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.latency import Latency
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.report import Failure
from resnet_edge.core.scheme import Io
from resnet_edge.models import ModelRequest


@dataclass(frozen=True)
class ExportRequest:
    """stages.source: write the float portable graph of a model to `out`; `bare`: without preprocessing, to
    take what the model takes."""

    model: ModelRequest
    out: str
    dynamic_batch: bool
    bare: bool = False


@dataclass(frozen=True)
class ReferenceRequest:
    """stages.source: run the Keras model on `images` (.npy), outputs to `out` (.npy)."""

    model: ModelRequest
    images: str
    out: str


@dataclass(frozen=True)
class ImagesRequest:
    """stages.images: DATA as arrays for a model that takes `shape` (H, W, C) and tells
    `classes` apart. `limit` keeps at most so many, spread evenly over the classes;
    `hold_out` sets so many apart, at most a fifth. `for_calibration`: the labels do not matter."""

    data: str
    shape: tuple[int, int, int]
    classes: int
    preprocessing: Preprocessing
    folder: str
    limit: int | None = None
    hold_out: int = 0
    for_calibration: bool = False


@dataclass(frozen=True)
class Images:
    """Images on disk: `images` .npy (N, H, W, C); `labels` .npy (N,) or None."""

    images: str
    labels: str | None
    n: int
    class_names: tuple[str, ...]
    source: str
    sha256: str


@dataclass(frozen=True)
class PreparedImages:
    """The images to prove on, and those held out of them for calibration (if asked for)."""

    evaluation: Images
    held_out: Images | None


CalibratorName = Literal["auto", "minmax", "percentile", "mse", "entropy"]
RepairName = Literal["auto", "all", "none"]


@dataclass(frozen=True)
class CalibrateRequest:
    """stages.calibration: activation ranges of the float portable graph, and its repairs.

    `images` .npy (N, H, W, C); results go to `folder`. `fixed`: a JSON file of ranges by
    tensor that are taken as they are.
    """

    portable: str
    images: str
    takes_pixels: bool
    output: str
    threads: int
    folder: str
    calibrator: CalibratorName = "auto"
    repair: RepairName = "auto"
    fixed: str | None = None


@dataclass(frozen=True)
class Trial:
    """The int8 graph with these ranges and repairs: its SQNR against the float graph, or None where
    LiteRT refuses it (XNNPACK does where scales lie too far apart)."""

    calibrator: str
    repairs: tuple[str, ...]
    sqnr_db: float | None


@dataclass(frozen=True)
class Calibration:
    """The repaired float graph, its ranges (JSON by dtype of the activations), and how they
    were chosen: from `tensors` tensors on `n` images, of which `judged` judged the trials.
    `skipped` tells what the chosen repairs left out. `exact` is the float graph of the same ranges
    without the repairs that fit weights to being rounded: what layers that stay float come from.
    `limits` (JSON, by tensor) and `outputs` (.npy) are what the graph gave as it came."""

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


@dataclass(frozen=True)
class PortableRequest:
    """stages.artifacts: the portable graph under a scheme. `float_layers`, by their outputs, stay
    float in an integer graph, with their constants in the float graph `exact`."""

    float_portable: str
    scheme: str
    ranges: str | None
    output: str
    io: Io
    out: str
    float_layers: tuple[str, ...] = ()
    exact: str | None = None


@dataclass(frozen=True)
class ArtifactRequest:
    """stages.artifacts: one artifact from the portable graph of its scheme, in which `float_layers`
    (by their outputs) are in float."""

    portable: str
    format: str
    scheme: str
    name: str
    out: str
    float_layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """The file that was written, and what a report should say of it."""

    path: str
    notes: tuple[str, ...] = ()


Ends = tuple[Quantization | None, Quantization | None]


@dataclass(frozen=True)
class PredictRequest:
    """An artifact, where to run it, and two .npy files: `images` (N, H, W, C), uint8 or
    float32, as the user gave them; `out`, to be written: (N, classes), float32. `preprocessing` is for an
    artifact that does not take pixels. `ends`: the quantization of input and output, for a runtime that does
    not tell that of integer ones."""

    path: str
    format: str
    backend: str
    device: str
    threads: int
    images: str
    out: str
    preprocessing: Preprocessing | None = None
    ends: Ends = (None, None)


@dataclass(frozen=True)
class ShardRequest:
    """stages.shards: the images from `start` to `stop` of a PredictRequest, to `out` (.npy). What is there
    already, from a run that was ended, is taken as it is."""

    whole: PredictRequest
    start: int
    stop: int
    out: str


@dataclass(frozen=True)
class JoinRequest:
    """stages.shards: the outputs of all shards, in order, as those of one run."""

    shards: tuple[str, ...]
    out: str


@dataclass(frozen=True)
class PredictResult:
    """Where the outputs are, how many; `device` as the runtime reports it; seconds in all. `labels`: the
    class names by output as the runtime tells them; none where it does not."""

    out: str
    n: int
    seconds: float
    device: str
    input_dtype: str
    classes: int
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompareRequest:
    """Outputs to compare: .npy files (N, classes) float32, dequantized, and what they must meet.

    `reference` and `candidate` belong to the same images in the same order; `labels` is an
    .npy of integers (N,), or None. `max_drop_pp` is in percentage points.
    """

    artifact: str
    backend: str
    device: str
    scheme: str
    output: Literal["logits", "probabilities"]
    reference: str
    candidate: str
    labels: str | None
    max_drop_pp: float
    min_sqnr_db: float


@dataclass(frozen=True)
class AgreementRequest:
    """Outputs of two artifacts on the same images, as in CompareRequest.

    `step` is the scale of the quantized outputs, one or one per class; None for float ones.
    """

    a: str
    b: str
    step: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Agreement:
    """`same_top1` of `n` images; `identical` of `values` output values, bit for bit, or, with
    a step, stored as the same integer; `max_steps` is the largest difference of those."""

    n: int
    same_top1: int
    values: int
    identical: int
    max_abs: float
    max_steps: int | None


@dataclass(frozen=True)
class LatencyTarget:
    """An artifact on a backend and a device; `file` is the name that the report prints."""

    path: str
    file: str
    format: str
    scheme: str
    backend: str
    device: str


@dataclass(frozen=True)
class LatencyRequest:
    """What to time, with how many threads each, and for how long.

    `images` is an .npy (N, H, W, C), uint8 or float32, whose first image is used. `rounds`
    fixes their number; None goes on for `budget_seconds` after the warm-up. `seed` orders
    the rounds and draws the bootstrap.
    """

    artifacts: tuple[LatencyTarget, ...]
    images: str
    threads: int
    rounds: int | None
    budget_seconds: float
    seed: int = 0


@dataclass(frozen=True)
class LatencyResult:
    """Latencies in the order asked for, and what could not be timed."""

    latencies: tuple[Latency, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class PlanRequest:
    """Names as the user gave them; a backend may be followed by `:device`."""

    formats: tuple[str, ...]
    schemes: tuple[str, ...]
    backends: tuple[str, ...]
    io: Io


@dataclass(frozen=True)
class Place:
    """Where an artifact runs; in one piece where opening it again costs seconds (a browser)."""

    backend: str
    device: str
    in_one: bool = False


@dataclass(frozen=True)
class Job:
    """One artifact to make, and where to prove it; `slow` ones begin first. In a `rescuable` one,
    layers can stay in float."""

    format: str
    scheme: str
    suffix: str
    needs_calibration: bool
    min_sqnr_db: float
    places: tuple[Place, ...]
    slow: bool = False
    rescuable: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything to make, in order; `notes` tell what was asked for and is not offered."""

    jobs: tuple[Job, ...]
    notes: tuple[str, ...]

    @property
    def needs_calibration(self) -> bool:
        """Whether any artifact needs calibration images."""
        return any(job.needs_calibration for job in self.jobs)

    def by_scheme(self) -> dict[str, list[Job]]:
        """The jobs, grouped by the portable graph that they share, in the order to make them."""
        groups: dict[str, list[Job]] = {}
        for job in sorted(self.jobs, key=lambda job: not job.slow):
            groups.setdefault(job.scheme, []).append(job)
        return groups
