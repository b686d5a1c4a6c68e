"""Runs in the parent. The reader of the reference, held against another loader before anything is proved."""

from __future__ import annotations

from resnet_edge.core.errors import WorkerFailed
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.source_task import WitnessReader
from resnet_edge.models import ModelRequest
from resnet_edge.workers.pool import Worker


def witnessed(worker: Worker, model: ModelRequest, images: Images) -> ReaderCheck:
    """In the worker that has opened `model`. Raises ModelError where the other loader reads another model.

    Where that loader ends the worker, there is no witness: the file was read by ours before.
    """
    try:
        return worker.run(WitnessReader(model=model, images=images.images))
    except WorkerFailed as error:
        how = str(error).partition(" (full log")[0]
        return ReaderCheck(missing=f"the other loader broke its process ({how})")
