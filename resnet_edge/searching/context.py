"""What all trials of a search start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.sizes import AtSize, InputSizes, Size
from resnet_edge.searching.store import SearchStore
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True, kw_only=True)
class Context:
    """`images`, those of the model's own size, come in a random order: trials see the first `rungs[-1]` of
    them, a rung at a time, and none sees the others. `by_size` has what each input size starts from, and
    `sizes` makes it. `reference` (.npy) is what the model gives for all. `jobs` are by scheme, and all run at
    `target`. `source` opens models, `maker` writes files, `counter` reads answers and `clock` times.
    `cluster`: where networks are trained; None: here."""

    request: SearchRequest
    facts: ModelFacts
    sizes: InputSizes
    by_size: dict[Size, AtSize]
    rungs: tuple[int, ...]
    reference: str
    jobs: dict[str, Job]
    target: Target
    store: SearchStore
    scratch: Path
    logs: Path
    workers: WorkerPool
    scheduler: Scheduler
    source: Worker
    maker: Worker
    counter: Worker
    clock: Worker
    on_progress: OnProgress
    cluster: Cluster | None = None

    @property
    def at_once(self) -> int:
        """How many trials are under way at a time: one for each machine."""
        return 1 if self.cluster is None else self.cluster.machines

    def at(self, size: Size | None) -> AtSize:
        """All of an input size; None: the model's own."""
        height, width, _ = self.facts.input_shape
        return self.by_size[size or (height, width)]

    def at_shape(self, shape: tuple[int, int, int]) -> AtSize:
        """The same for images of `shape` (H, W, C)."""
        return self.by_size[shape[0], shape[1]]

    @property
    def images(self) -> Images:
        """As the model takes them."""
        return self.at(None).images

    @property
    def searched_on(self) -> int:
        """How many images trials see."""
        return self.rungs[-1]
