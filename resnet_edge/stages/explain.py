"""Runs in a worker. Where an artifact parts from the reference, and what is probably wrong."""

from __future__ import annotations

from resnet_edge.core.explanation import Explanation
from resnet_edge.core.progress import Report
from resnet_edge.stages.verify_request import Explained, ExplainRequest


def explain(request: ExplainRequest, report: Report) -> Explained:
    """x"""
    return Explained(Explanation(request.file, 0, 0, 0, ()))
