"""What the parent asks of evaluation.changes, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.results.changes import Changes
from resnet_edge.data.images_task import Images
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class FileOutputs:
    """An artifact at one place, and its outputs: .npy (N, outputs of the head) float32."""

    artifact: str
    backend: str
    device: str
    outputs: str


@dataclass(frozen=True, kw_only=True)
class CountChanges(
    Task[Changes],
    runs="resnet_edge.evaluation.changes:count",
    reads=("reference", "candidates.outputs", "images.images", "images.labels", "images.names"),
):
    """Outputs of the model, `reference` (.npy), and of `candidates` on the same `images`, of a head that
    tells classes apart. `pictures`: whether small ones are made of images whose answer changed, which are
    pixels from 0 to 255."""

    head: Head
    reference: str
    candidates: tuple[FileOutputs, ...]
    images: Images
    pictures: bool
