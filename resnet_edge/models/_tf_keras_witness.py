"""Runs in a worker. A Keras 2 `.h5` as tf_keras reads it: the witness of what `_keras2` makes of it.

tf_keras imports any module that a config names, calls any TensorFlow function that it names, and
follows links out of an HDF5 file (keras-team/tf-keras#921). So it sees a file only where our own reader has
rebuilt it, and then only through the handle that was checked, where every class stands on the list in
`_allowed` and every function is one of the few that are rebuilt; its own lookup is held to the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models._allowed import TF_CALLS
from resnet_edge.models._config import AllowedName, check_config, entries, is_allowed
from resnet_edge.models._hdf5 import check_hdf5, ended_after
from resnet_edge.models._held import held
from resnet_edge.models._keras2_calls import FUNCTIONS
from resnet_edge.models._outputs import picked
from resnet_edge.models.functional.channels_last import takes_channels_first
from resnet_edge.models.witness import NoWitness, Witness, sum_rounding


def tf_keras_witness(path: Path, output: str | None = None) -> Witness:
    """The model in `path`, which `_keras2` has rebuilt; `output` names the one of several that is taken.
    Raises NoWitness."""
    try:
        import tf_keras
    except ImportError:
        raise NoWitness(
            "tf_keras, which reads files of Keras 2, is not installed (pip install tf_keras)"
        ) from None
    loader = f"tf_keras {tf_keras.__version__}"
    with h5py.File(path, "r") as opened:  # one handle for the checks and for what they are of
        with ended_after():
            check_hdf5(opened, path.name, "model_weights")
        check_safe(json.loads(opened.attrs["model_config"]), path.name)
        try:
            with held("tf_keras"):
                model = tf_keras.models.load_model(opened, compile=False)
        except (MemoryError, ModelError):
            raise
        except Exception as error:  # tf_keras raises whatever broke inside
            raise NoWitness(f"{loader} cannot read {path.name} ({first_line(error)})") from error

    first = takes_channels_first(model)

    def network(images: Any) -> Any:
        images = keras.ops.transpose(images, (0, 3, 1, 2)) if first else images
        return picked(model, model(images, training=False), output, path.name)

    return Witness(loader=loader, network=network, rounding=sum_rounding(model.weights), trackable=model)


def check_safe(config: Any, file: str) -> None:
    """Raises NoWitness where a `model_config` names what tf_keras might look up, import or call beside
    the list in `_allowed` and the functions that `_keras2_calls` rebuilds; ModelError as `check_config`."""
    check_config(config, file, keras2=True)
    if _has_key(config, "compile_config"):  # which nothing else looks into
        raise NoWitness(f"{file} says inside how a part of it was compiled, which is not safe for tf_keras")
    for entry in entries(config, file):
        if not is_allowed(entry, keras2=True) or not _is_rebuilt(entry):
            raise NoWitness(
                f"{file} names {entry.class_name!r} of {entry.module or 'Keras'}, which is not "
                "safe to give to tf_keras"
            )


def _is_rebuilt(entry: AllowedName) -> bool:
    if entry.class_name not in TF_CALLS:
        return True
    inner = entry.serialised.get("config")
    return isinstance(inner, dict) and inner.get("function") in FUNCTIONS


def _has_key(value: Any, key: str) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if key in item:
                return True
            stack += item.values()
        elif isinstance(item, list):
            stack += item
    return False
