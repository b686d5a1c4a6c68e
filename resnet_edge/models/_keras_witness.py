"""Runs in a worker. A file as Keras itself reads it: the witness of what our readers make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from resnet_edge.models._as_float32 import as_float32
from resnet_edge.models._held import held
from resnet_edge.models._opened import network_of
from resnet_edge.models.witness import Witness, sum_rounding


def keras_witness(path: Path, output: str | None = None) -> Witness:
    """The model in `path`, which a reader of ours has opened: it has passed the checks of its kind. `output`
    names the one of several that is taken.

    Of a `.h5` file Keras leaves the state of nested layers behind (`_state`). `load_own_variables`, by
    which it reads a `.keras` file, restores whatever a layer has, and is not what our readers call.
    """
    with held():
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    if path.suffix.lower() != ".keras":
        _restore_state(model)
    as_float32(model)  # as ours computes: half floats would hide what is small
    return Witness(
        loader=f"Keras {keras.__version__}",
        network=network_of(model, output, path.name),
        rounding=sum_rounding(model.weights),
        trackable=model,
    )


def _restore_state(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        if store:
            layer.load_own_variables({name: np.array(value) for name, value in store.items()})
