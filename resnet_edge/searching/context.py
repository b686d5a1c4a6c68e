"""What all trials of a search start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.store import Store
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True, kw_only=True)
class Context:
    """`images` come in a random order: trials see the first `rungs[-1]` of them, a rung at a time, and none
    sees the others. `reference` (.npy) is what the model gives for all. `jobs` are by scheme, and all run at
    `target`. `noise` (.npy) are images to time with. `source` opens models, `maker` writes files, `counter`
    reads answers and `clock` times."""

    request: SearchRequest
    facts: ModelFacts
    images: Images
    calibration: Images
    rungs: tuple[int, ...]
    reference: str
    jobs: dict[str, Job]
    target: Target
    noise: str
    store: Store
    scratch: Path
    logs: Path
    workers: WorkerPool
    scheduler: Scheduler
    source: Worker
    maker: Worker
    counter: Worker
    clock: Worker
    on_progress: OnProgress

    @property
    def searched_on(self) -> int:
        """How many images trials see."""
        return self.rungs[-1]
