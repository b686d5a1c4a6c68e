"""Runs in a worker. How the error of a quantized TFLite artifact grows from layer to layer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.data.image_file import open_images
from resnet_edge.data.rows import evenly
from resnet_edge.diagnosis.error_growth_task import MeasureErrorGrowth
from resnet_edge.graph.quantization.error_growth import measure_error_growth
from resnet_edge.workers.progress import OnProgress, tracked

SECONDS = 5.0
"""No further image is begun after so long: int16x8 has no fast kernels, and takes seconds for each on a
ResNet-50."""


def error_growth(request: MeasureErrorGrowth, on_progress: OnProgress) -> ErrorGrowth:
    """Measure it on some of the images, evenly spread. Raises ArtifactError, DataError."""
    images = open_images(Path(request.images))
    chosen = evenly(len(images), request.n)
    shuffled = np.random.default_rng(0).permutation(chosen)  # whatever the first are, they are of all kinds
    used: list[int] = []
    rows = (np.asarray(images[index : index + 1]) for index in _in_time(shuffled.tolist(), used))
    growth = measure_error_growth(
        Path(request.exact),
        Path(request.path),
        request.head,
        tracked(rows, f"errors of {request.file}", len(chosen), on_progress),
    )
    return ErrorGrowth(request.file, len(used), growth)


def _in_time(indices: Iterable[int], used: list[int]) -> Iterator[int]:
    """Those that are begun within SECONDS, at least one; they are put into `used`."""
    began = time.monotonic()
    for index in indices:
        if used and time.monotonic() - began > SECONDS:
            return
        used.append(index)
        yield index
