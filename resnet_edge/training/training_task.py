"""The files of a task that trains a network which is there already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.training.recipe import Compressed
from resnet_edge.training.unfinished import checkpoint_folder
from resnet_edge.workers.task import Task, texts


class TrainingTask(Task[Compressed]):
    """Beside what a task of this kind declares it reads the sidecar of its model, which says how that was
    trained, and it writes into the folder of the unfinished run, which `unfinished.training_run` makes and
    publishes: whoever carries it elsewhere carries both."""

    def files_read(self) -> Iterator[str]:
        """As Task says; a model without a sidecar has none there either."""
        yield from super().files_read()
        for name in self.reads:
            if name.endswith("model.source"):
                yield from (str(sidecar_path(Path(text))) for text in texts(self, name))

    def files_written(self) -> Iterator[str]:
        """As Task says."""
        for text in super().files_written():
            yield text
            yield str(checkpoint_folder(Path(text)))
