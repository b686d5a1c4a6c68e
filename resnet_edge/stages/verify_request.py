"""What the parent asks of the workers of `verify`, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.explanation import Explanation
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.report import Failure
from resnet_edge.stages.plan_request import Place


@dataclass(frozen=True)
class LookRequest:
    """stages.verify_files: what the files at `paths`, of `formats`, are, and where among `backends` they
    run. Each is copied into a folder of its own in `folder`, which is new. `contents`: whether what they
    compute is hashed, too."""

    paths: tuple[str, ...]
    formats: tuple[str, ...]
    backends: tuple[str, ...]
    folder: str
    contents: bool = False


@dataclass(frozen=True)
class Looked:
    """`artifacts` in the order asked for; `places` of each, `min_sqnr_db` of its scheme, and the files
    `beside` it that hold its weights (ONNX calls them external data). `copies` are what is run in their place
    (stages/private_copy.py), and `contents` hash what they compute (graph/content.py; empty
    where nobody asked). `failures`: what is no artifact to verify; `notes`: what is odd in those that are."""

    artifacts: tuple[Artifact, ...]
    places: tuple[tuple[Place, ...], ...]
    min_sqnr_db: tuple[float | None, ...]
    beside: tuple[tuple[str, ...], ...]
    copies: tuple[str, ...]
    contents: tuple[str, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlignRequest:
    """stages.verify_outputs: outputs of a reference, of `head`, and of a candidate (.npy), to compare as
    one kind. Whether either are logits or probabilities is told by their values."""

    head: Head
    reference: str
    candidate: str
    out: str


@dataclass(frozen=True)
class Aligned:
    """What both are now, and where; `through`: which of the two was put through a softmax, or a sigmoid where
    the head is binary."""

    head: Head
    reference: str
    candidate: str
    through: Literal["", "reference", "candidate"]


@dataclass(frozen=True)
class ExplainRequest:
    """stages.explain: the artifact `path`, of `format`, against the reference's float portable graph
    `portable` (.tflite), which takes what the artifact takes, on `n` of `images` .npy. `preprocessing` is
    for what does not take pixels."""

    file: str
    path: str
    format: str
    portable: str
    images: str
    preprocessing: Preprocessing | None
    n: int


@dataclass(frozen=True)
class Explained:
    """What was found."""

    explanation: Explanation
