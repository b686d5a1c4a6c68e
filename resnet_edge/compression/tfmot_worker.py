"""Runs in the parent. The worker in which tensorflow-model-optimization runs, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess

ENVIRONMENT = {"KERAS_BACKEND": "tensorflow"}
"""Keras 3 opens the model and computes the loss in the same process, on tf_keras' tensors."""

WHY_ONE_MACHINE = (
    "tensorflow-model-optimization works on tf_keras, which has no training of several processes that holds"
)
"""keras#20585, tensorflow#72388: MultiWorkerMirroredStrategy."""


def tfmot_worker(name: str, log: Path, grant: Grant) -> WorkerProcess:
    """A worker for stages that use tf_keras. Raises WorkerFailed."""
    return WorkerProcess(name, log, ENVIRONMENT, grant)
