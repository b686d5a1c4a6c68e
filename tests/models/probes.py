"""Runs in a worker. What a test wants to know of an opened model, as data."""

from __future__ import annotations

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import OnProgress


def facts(request: ModelRequest, on_progress: OnProgress) -> ModelFacts:
    """The facts alone: the network cannot leave the worker."""
    return open_model(request, on_progress).facts
