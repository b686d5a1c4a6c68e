"""Runs in a worker. What layers compute with beside their weights, of Keras 3 and tf_keras alike.

`Normalization` divides by what its `finalize_state` made of its weights when that last ran, and
`assign` and `set_weights` do not run it: with the weights of an adapted layer it still computes
with a mean of 0 and a variance of 1. Keras 3.15's own `.h5` loader runs it for the outermost
layers alone (keras-team/keras#20168), so that a nested one computes with the wrong statistics there
too; a `.keras` file is not affected.
"""

from __future__ import annotations

from typing import Any


def finalize_state(model: Any) -> None:
    """Make every layer at or below `model`, also nested and wrapped, compute with the weights that it has.

    To be called wherever weights were put in by hand. Does nothing to layers that were not
    built, or that have no such state.
    """
    for layer in model._flatten_layers():
        if layer.weights and hasattr(layer, "finalize_state"):
            layer.finalize_state()
