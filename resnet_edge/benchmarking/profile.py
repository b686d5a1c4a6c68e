"""Runs in a worker, one for each artifact: the time of every operator, as the runtime tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge.benchmarking.sessions import noise
from resnet_edge.benchmarking.task import ProfileOperators
from resnet_edge.core.results.profile import Profile
from resnet_edge.evaluation.predict import load_backend
from resnet_edge.workers.progress import OnProgress

RUNS = 60


def profile(task: ProfileOperators, on_progress: OnProgress) -> Profile:
    """Watch RUNS inferences on a backend that tells. Raises ArtifactError, DeviceUnavailable."""
    opening, target = task.opening, task.opening.target
    backend: Any = load_backend(target.backend, target.format, target.path)
    path = Path(target.path)
    with backend.open_session(path, target.device, opening.threads) as session:
        images = noise(session.input, opening.batch)
    measured: Profile = backend.profile(path, target.device, opening.threads, images, RUNS)
    return measured
