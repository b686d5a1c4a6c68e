"""What the parent asks of data/headers.py."""

from __future__ import annotations

from dataclasses import dataclass, field

from resnet_edge.workers.task import Task

DataShape = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Headers:
    """How many files were looked into, and (H, W, C) of the images of each DATA: None where they differ."""

    files: int
    shapes: dict[str, DataShape] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReadHeaders(Task[Headers], runs="resnet_edge.data.headers:look", reads=("data",)):
    """data.headers:look: DATA, as the user names it.

    `train`: it is trained on, in batches of `batch_size`. `fresh`: the network is made for the images, and
    takes `input_shape` (H, W, C) or, with None, the size that they have.
    """

    data: tuple[str, ...]
    train: bool = False
    fresh: bool = False
    batch_size: int = 1
    input_shape: tuple[int, int, int] | None = None
