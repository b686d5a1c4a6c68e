"""Bias correction: the mean output that rounding the weights has shifted, shifted back.

M. Nagel et al., arXiv:1906.04721, section 4.2: rounding moves the mean of an output by the
error of the weights times the mean of the input, which is not zero behind a ReLU. The mean
input here is that of the float network, patch by patch (moments.py), padding included. The
shift that rounding *activations* causes is not corrected: on the bundled ResNet-20, with
weights rounded together, all that is left of mean shifts is about 1 % of the noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.quantization.weighted import Layer


def corrected(
    layer: Layer, quantized: NDArray[np.floating[Any]], mean: NDArray[np.float64]
) -> NDArray[np.float32] | None:
    """The bias (O,) that gives `layer` its mean output back once its rows are `quantized`
    (O, taps); `mean` is its mean patch. None where it has no bias to correct."""
    if layer.bias is None:
        return None
    error = quantized.astype(np.float64) - layer.rows
    if layer.op == "DEPTHWISE_CONV_2D":  # each channel has its own patch: (taps, O)
        shift = (error * mean.reshape(-1, len(error)).T).sum(axis=1)
    else:
        shift = error @ mean
    return np.asarray(layer.bias - shift, np.float32)
