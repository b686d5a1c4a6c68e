"""Runs in a worker. Where an artifact departs from the reference, and what is probably wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.data.image_file import open_images
from resnet_edge.data.pixels import preprocessed
from resnet_edge.data.rows import evenly
from resnet_edge.diagnosis.explain_task import CompareLayers, Explained
from resnet_edge.diagnosis.layers.compare import compared
from resnet_edge.workers.progress import OnProgress, Progress


def explain(request: CompareLayers, on_progress: OnProgress) -> Explained:
    """Every layer on what it reads itself. Raises ArtifactError."""
    on_progress(Progress(step=f"layers of {request.file}", done=0, total=1))
    path, portable = Path(request.path), Path(request.portable)
    explanation = compared(request.file, path, request.format, portable, _fed(_some(request), request))
    on_progress(Progress(step=f"layers of {request.file}", done=1, total=1))
    return Explained(explanation)


def _some(request: CompareLayers) -> NDArray[Any]:
    images = open_images(Path(request.images))
    rows = evenly(len(images), request.n)
    return np.asarray(images[rows])


def _fed(images: NDArray[Any], request: CompareLayers) -> NDArray[Any]:
    if request.preprocessing is None:
        return images
    return preprocessed(images, request.preprocessing)
