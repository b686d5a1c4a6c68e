"""Runs in a worker. How the error of a quantized TFLite artifact grows from layer to layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resnet_edge.core.error_growth import ErrorGrowth
from resnet_edge.core.progress import Report, tracked
from resnet_edge.graph.error_growth import measure_error_growth
from resnet_edge.stages.error_growth_request import ErrorGrowthRequest
from resnet_edge.stages.predict import open_images


def error_growth(request: ErrorGrowthRequest, report: Report) -> ErrorGrowth:
    """Measure it on some of the images, evenly spread. Raises ArtifactError, DataError."""
    images = open_images(Path(request.images))
    chosen = np.unique(np.linspace(0, len(images) - 1, min(request.n, len(images))).round().astype(int))
    rows = (np.asarray(images[index : index + 1]) for index in chosen)
    found = measure_error_growth(
        Path(request.exact),
        Path(request.path),
        tracked(rows, f"errors of {request.file}", len(chosen), report),
    )
    return ErrorGrowth(request.file, len(chosen), found)
