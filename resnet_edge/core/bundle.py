"""What `package` puts into a bundle: model files, golden vectors and what they were proved on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.image_contract import ImageContract

Scores = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class BundledFile:
    """A model file of the bundle.

    `path` is relative to the bundle, with forward slashes. `source` is the artifact of `convert` that it is
    made from and `source_sha256` its hash; `changes` tells, in sentences, what is different (nothing: the
    bytes are the same). `input` is (1, H, W, C), `output` (1, classes); `scores` is what comes out.
    """

    path: str
    profile: str
    format: str
    scheme: str
    size_bytes: int
    sha256: str
    input: TensorSpec
    output: TensorSpec
    scores: Scores
    source: str
    source_sha256: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tolerance:
    """How far a score may be from the expected one on a runtime; `reason` is the measurement behind it."""

    runtime: str
    max_abs: float
    reason: str


@dataclass(frozen=True)
class GoldenImage:
    """A real image of the bundle: a PNG of the size that the model takes, at `path` in the bundle.
    `label` is the index of its true class, None where it is not known."""

    path: str
    sha256: str
    label: int | None


@dataclass(frozen=True)
class GoldenScores:
    """What one model file must give for the golden images, in their order.

    `inputs_sha256`: of the bytes of the input tensor, as the file stores it (NHWC, little-endian), for each
    image: an app whose tensor has another hash prepares the image wrongly. `scores`: dequantized,
    (images, classes). `tolerances`: by runtime; the entry `default` is for any other.
    """

    file: str
    inputs_sha256: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]
    tolerances: tuple[Tolerance, ...]


@dataclass(frozen=True)
class Golden:
    """The golden vectors of a bundle (golden/golden.json)."""

    images: tuple[GoldenImage, ...]
    files: tuple[GoldenScores, ...]


@dataclass(frozen=True)
class BundleFacts:
    """What documents and sample code of a bundle are made from. `name` is a file stem, `title` for
    people; `labels` are the class names in the order of the outputs."""

    name: str
    title: str
    labels: tuple[str, ...]
    image: ImageContract
    files: tuple[BundledFile, ...]
    golden: Golden
