"""What the rounding of a float type alone may do to outputs, by the type and by what a file stores in it.

float32 rounds by at most u = 2^-24 of a value. Roundings that are independent add up by their squares (N. J.
Higham, T. Mary, SIAM J. Sci. Comput. 41 (2019) A2815), so that n of them on the way to an output leave a
noise of sqrt(n) u: FLOAT32_DB is that of 2.8 million, more than the products that are summed on any path
through an image classifier.

A float16 file is summed in float32, and rounds what it stores: each layer's weights, by half a step each,
which is 2^-11 of a value, and below 2^-14 (subnormal) 2^-25 whatever the value; and what each layer reads, by
2^-11 where activations are float16. Over layers these add up as they are at worst (J. H. Wilkinson,
Rounding Errors in Algebraic Processes, 1963). A network may make more of them on the way to its logits: then
its answers are judged as those of integers are.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.stored_weights import StoredLayer, stored_layers
from resnet_edge.schemes import scheme_of

FLOAT32_DB = 80.0
FLOAT16_UNIT = 2.0**-11


def rounding_db(path: str, format: str, scheme: str) -> float | None:
    """The SQNR on logits, in decibels, that the rounding of a float type leaves at worst; None for integers,
    and where the weights of a float16 file cannot be found."""
    definition = scheme_of(scheme)
    if definition.weights == "float32":
        return FLOAT32_DB
    return _of_halves(Path(path), format) if definition.weights == "float16" else None


def _of_halves(path: Path, format: str) -> float | None:
    try:
        noises = [_noise(layer) for layer in stored_layers(path, format)]
    except (ArtifactError, OSError):  # a backend has run it, and our readers do not know it
        return None
    if not noises:
        return None
    return -20 * math.log10(sum(math.sqrt(noise) + FLOAT16_UNIT for noise in noises))


def _noise(layer: StoredLayer) -> float:
    """The power of the rounding of a layer's weights, by theirs."""
    if layer.values is None or layer.values.dtype != np.float16:
        return 0.0
    wide: NDArray[Any] = layer.values.astype(np.float64)
    half = np.spacing(np.abs(layer.values)).astype(np.float64) / 2
    power = float(np.square(wide).sum())
    return min(1.0, float(np.square(half).sum()) / power) if power else 1.0
