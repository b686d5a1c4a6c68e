"""Runs in a worker, one for each artifact: the time of every operator, as the runtime tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge.core.profile import Profile
from resnet_edge.core.progress import Report
from resnet_edge.stages.bench_request import OpenRequest
from resnet_edge.stages.bench_worker import noise
from resnet_edge.stages.predict import load_backend

RUNS = 60


def profile(request: OpenRequest, report: Report) -> Profile:
    """Watch RUNS inferences on a backend that tells. Raises ArtifactError, DeviceUnavailable."""
    target = request.target
    backend: Any = load_backend(target.backend, target.format, target.path)
    path = Path(target.path)
    with backend.open_session(path, target.device, request.threads) as session:
        images = noise(session.input, request.batch)
    found: Profile = backend.profile(path, target.device, request.threads, images, RUNS)
    return found
