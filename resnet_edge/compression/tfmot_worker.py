"""Runs in the parent. The worker in which tensorflow-model-optimization runs, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess

ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "KERAS_BACKEND": "tensorflow"}
"""The first is what importing tensorflow_model_optimization sets, for the whole process and too
late for what is imported before it. The second: Keras 3 opens the model and computes the loss
in the same process, on tf_keras' tensors."""


def tfmot_worker(name: str, log: Path, grant: Grant) -> WorkerProcess:
    """A worker for stages that use tf_keras. Raises WorkerFailed."""
    return WorkerProcess(name, log, ENVIRONMENT, grant)
