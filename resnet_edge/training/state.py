"""Runs in a worker. What a saved model is at this point of its lineage."""

from __future__ import annotations

import gzip
from pathlib import Path

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.sidecar import State
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.training.network_content import network_content
from resnet_edge.training.training_data import LabelledImages
from resnet_edge.workers.progress import silent


def state_of(request: ModelRequest, top1: float | None, images: LabelledImages | None) -> State:
    """Open a model file, as any later command will, and measure it.

    `top1` is the fraction of `images` that it gets right. A model that is no single file has
    no size. Raises ModelError where it does not open.
    """
    facts = open_model(request, silent).facts
    measured = images if top1 is not None else None
    file = Path(request.source)
    content = network_content(file) if file.is_file() else b""
    return State(
        sha256=sha256_of(file) if content else facts.sha256,
        parameters=facts.parameters,
        macs=facts.macs,
        file_bytes=len(content),
        gzip_bytes=len(gzip.compress(content, 9, mtime=0)) if content else 0,
        top1=top1,
        n=0 if measured is None else len(measured),
        images="" if measured is None else measured.name,
        images_sha256="" if measured is None else measured.sha256(),
    )
