"""What the parent asks of diagnosis/attribution.py, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Fed:
    """What the artifact sees, as pixels; `changed`: whether they are others than they were."""

    out: str
    changed: bool


@dataclass(frozen=True, kw_only=True)
class FeedImages(Task[Fed], runs="resnet_edge.diagnosis.attribution:fed", reads=("images",), writes=("out",)):
    """At most `n` of `images` .npy as `input` stores them, once they went through `preprocessing` (None: it
    takes pixels); to `out` (.npy, float32)."""

    images: str
    n: int
    input: TensorSpec
    preprocessing: Preprocessing | None
    out: str


@dataclass(frozen=True)
class Attributed:
    """What was found."""

    attribution: Attribution


@dataclass(frozen=True, kw_only=True)
class AttributeGap(
    Task[Attributed],
    runs="resnet_edge.diagnosis.attribution:attribute",
    reads=(
        "path",
        "portable",
        "images",
        "labels",
        "reference",
        "unpruned",
        "outputs",
        "fed",
        "on_fed",
    ),
):
    """An artifact, which the report calls `file`, at a place; all .npy are of the same images.

    `reference` and `outputs` (N, classes) are the model's and the artifact's; `unpruned` those of the model
    before it was pruned, or None. `portable` is the float graph (.tflite), which takes what the artifact
    takes; `head` is the model's. `fed` are the `n` images as the artifact sees them, and `on_fed` what the
    model gives for them (None: what it gives for the images). `rounds`: whether the file holds numbers that
    were rounded; where it does not, what it departs by was done when it was written.
    """

    file: str
    path: str
    scheme: str
    backend: str
    device: str
    input: TensorSpec
    output: TensorSpec
    head: Head
    portable: str
    images: str
    labels: str | None
    reference: str
    unpruned: str | None
    outputs: str
    n: int
    fed: str | None
    on_fed: str | None
    preprocessing: Preprocessing | None
    rounds: bool = True
