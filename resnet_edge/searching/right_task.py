"""What the parent asks about the answers of a file, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class RightAnswers:
    """`right`: a bit for each of `n` images, the first lowest, in hexadecimal; `sqnr_db` beside the outputs
    of the network that the file is made of, None where these were not given. `trouble`: why no answer can be
    read, in a sentence; empty where all can."""

    right: str
    n: int
    sqnr_db: float | None = None
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class CountRight(
    Task[RightAnswers],
    runs="resnet_edge.searching.right:right_answers",
    reads=("outputs", "reference", "labels", "own"),
):
    """search.right: the images that are answered right: as their label is (of several labels, all of them; of
    an embedding, by its nearest neighbour), or without `labels` as the `reference` answers.

    `outputs`, `reference` (that of the model) and `own` (that of the network that the file is made of) are
    .npy (N, head.outputs) float32, and `labels` .npy (N,) or (N, labels); the first N of `outputs` count.
    Of an embedding the nearest is looked for in the images between two of `cuts`, so that what is so of the
    first images stays so however many follow."""

    head: Head
    outputs: str
    reference: str
    labels: str | None
    own: str | None = None
    cuts: tuple[int, ...] = ()
