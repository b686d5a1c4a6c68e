"""Runs in a worker. The preprocessing of a model, in numpy: the one that everything is checked against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.preprocessing import Preprocessing


def preprocessed(images: NDArray[Any], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """From images (B, H, W, C) as the user has them to what the Keras model takes, float32.

    Apart from the graph that is exported, so that a mistake in the exported preprocessing
    shows as a difference.
    """
    values = np.asarray(images, np.float32)
    if preprocessing.where != "graph":
        return values
    if preprocessing.channels == "BGR":
        values = values[..., ::-1]
    scaled = values * np.asarray(preprocessing.scale, np.float32)
    return scaled + np.asarray(preprocessing.offset, np.float32)
