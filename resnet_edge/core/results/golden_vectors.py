"""What a file of golden vectors says: images, what every artifact gave for them, and how far another run
may be from that.

Plain values without arrays, so that the parent, and a machine that only has a runtime, can read them. The
arrays stand beside them in the file (golden/file.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.head import Head, HeadKind, Output

SCHEMA = 1

LARGEST_ZERO_POINT = 1 << 15  # of 16 bits, and more than of 8

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class GoldenRun:
    """Outputs that an artifact gave: on this backend and device, when the file was saved."""

    backend: str
    device: str


@dataclass(frozen=True, kw_only=True)
class GoldenTolerance:
    """How far outputs on a backend and device may be from those of the run number `expected`.

    An empty `backend` or `device` is for any other. `steps`, where there is one, decides: how many
    quantization steps of the output; else `max_abs` does. On the images `near_ties`, numbered as in the
    file, the answer and the next are so close that the tolerance lets either win; on all others top-1 must
    be the same. `reason` is the measurement behind it.
    """

    backend: str
    device: str
    expected: int
    max_abs: float
    steps: int | None
    near_ties: tuple[int, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class GoldenArtifact:
    """One artifact: its runs, and what holds elsewhere; of the tolerances, the first that fits counts.
    `step` is the scale of quantized outputs, one or one per output; None for real ones. `input` and `output`
    are how integer ends are quantized: ONNX Runtime does not tell, and the package that reads it in the file
    is not there on a device."""

    file: str
    sha256: str
    format: str
    scheme: str
    runs: tuple[GoldenRun, ...]
    tolerances: tuple[GoldenTolerance, ...]
    step: tuple[float, ...] | None = None
    input: Quantization | None = None
    output: Quantization | None = None

    def tolerance(self, backend: str, device: str) -> GoldenTolerance:
        """What holds there."""
        return next(
            tolerance
            for tolerance in self.tolerances
            if tolerance.backend in ("", backend) and tolerance.device in ("", device)
        )


@dataclass(frozen=True, kw_only=True)
class GoldenVectors:
    """A whole file. `model` and `model_sha256` are of the reference, `data` and `data_sha256` of all images
    of the run; `output`, `classes`, `kind`, `threshold`, `thresholds` and `dimensions` are those of the head
    (core/head.py); `rows` are those taken from them, in order, and `labels` their classes (None: not known,
    or several each). `image_shape` is (H, W, C). `versions` and `machine` tell what it was made with."""

    model: str
    model_sha256: str
    data: str
    data_sha256: str
    output: Output
    image_shape: tuple[int, int, int]
    classes: int
    class_names: tuple[str, ...]
    rows: tuple[int, ...]
    labels: tuple[int, ...] | None
    artifacts: tuple[GoldenArtifact, ...]
    resnet_edge: str = ""
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA
    kind: HeadKind = "classes"
    threshold: float | None = None
    thresholds: tuple[float, ...] = ()
    dimensions: int = 0

    @property
    def head(self) -> Head:
        """How outputs become answers."""
        return Head(
            kind=self.kind,
            output=self.output,
            classes=self.classes,
            threshold=self.threshold,
            thresholds=self.thresholds,
            dimensions=self.dimensions,
        )


GoldenVerdict = Literal["pass", "fail", "not run"]


@dataclass(frozen=True, kw_only=True)
class GoldenRow:
    """One artifact, replayed on one backend and device, against the outputs that were saved.

    `near_ties` of the `n` images may have another top-1; `allowed_max_abs` and `allowed_steps` are what was
    allowed (steps decide where there are any), and `source` where that comes from. Figures are None where
    there was nothing to measure; the reasons are sentences for people.
    """

    artifact: str
    backend: str
    device: str
    n: int
    max_abs: float | None
    steps: int | None
    same_top1: int | None
    near_ties: int
    allowed_max_abs: float | None
    allowed_steps: int | None
    verdict: GoldenVerdict
    reasons: tuple[str, ...]
    source: str = ""


def faults(vectors: GoldenVectors) -> Iterator[str]:
    """What a file cannot mean, a phrase for each; nothing where it is sound."""
    n, head, classes = len(vectors.rows), vectors.head, vectors.head.classes
    if n == 0:
        yield "it holds no image"
    if not _is_head(head) or min(vectors.image_shape) < 1:
        yield "its shapes are those of no image classifier"
    if vectors.class_names and len(vectors.class_names) != classes:
        yield f"it names {len(vectors.class_names)} of {classes} classes"
    if vectors.labels is not None and len(vectors.labels) != n:
        yield f"it has {len(vectors.labels)} labels for {n} images"
    most = math.inf if head.kind == "embedding" else classes
    if not all(0 <= label < most for label in vectors.labels or ()):
        yield "a label is out of range"
    if not vectors.artifacts:
        yield "it holds no artifact"
    if len({artifact.sha256 for artifact in vectors.artifacts}) < len(vectors.artifacts):
        yield "two of its artifacts are the same file"
    for artifact in vectors.artifacts:
        yield from (f"{artifact.file}: {fault}" for fault in _faults(artifact, n, head.outputs))


def _is_head(head: Head) -> bool:
    """Whether its parts belong together."""
    if head.kind == "embedding":
        return head.dimensions > 1 and not head.classes and not head.own_thresholds
    counts = {"classes": 0, "binary": 1, "multilabel": head.classes}
    return head.classes > 1 and not head.dimensions and len(head.own_thresholds) == counts[head.kind]


def _faults(artifact: GoldenArtifact, n: int, outputs: int) -> Iterator[str]:
    if not SHA256.fullmatch(artifact.sha256):
        yield "its SHA-256 is none"
    if not artifact.runs:
        yield "it has no outputs"
    if artifact.step is not None and (
        len(artifact.step) not in (1, outputs) or not all(map(_positive, artifact.step))
    ):
        yield "its quantization step is no positive number, or not one per output"
    if not (_sound(artifact.input) and _sound(artifact.output)):
        yield "its input or output has a quantization that is none"
    if not any(tolerance.backend == tolerance.device == "" for tolerance in artifact.tolerances):
        yield "it has no tolerance for backends that are not named"
    for tolerance in artifact.tolerances:
        yield from _faults_of_limit(tolerance, artifact, n)


def _faults_of_limit(tolerance: GoldenTolerance, artifact: GoldenArtifact, n: int) -> Iterator[str]:
    if not 0 <= tolerance.expected < len(artifact.runs):
        yield "a tolerance belongs to no outputs"
    if not _positive(tolerance.max_abs) or (tolerance.steps is not None and tolerance.steps < 0):
        yield "a tolerance is no positive number"
    if tolerance.steps is not None and artifact.step is None:
        yield "a tolerance counts steps, and none is given"
    if not all(0 <= row < n for row in tolerance.near_ties):
        yield "a near-tie is no image of the file"


def _sound(ends: Quantization | None) -> bool:
    """One scale and zero point for all numbers: nothing else is written at the ends of a classifier."""
    if ends is None:
        return True
    one = len(ends.scale) == len(ends.zero_point) == 1 and ends.axis is None
    return one and _positive(ends.scale[0]) and abs(ends.zero_point[0]) <= LARGEST_ZERO_POINT


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0
