"""What the parent asks of the worker that compares the layers of an artifact, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Explained:
    """What was found."""

    explanation: Explanation


@dataclass(frozen=True, kw_only=True)
class CompareLayers(
    Task[Explained],
    runs="resnet_edge.diagnosis.explain:explain",
    reads=(
        "path",
        "portable",
        "images",
    ),
):
    """diagnosis.explain: the artifact `path`, of `format`, against the reference's float portable graph
    `portable` (.tflite), which takes what the artifact takes, on `n` of `images` .npy. `preprocessing` is
    for what does not take pixels."""

    file: str
    path: str
    format: str
    portable: str
    images: str
    preprocessing: Preprocessing | None
    n: int
