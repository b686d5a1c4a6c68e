"""Runs in a worker. A Keras 2 `.h5` as tf_keras reads it: the witness of what `_keras2` makes of it.

tf_keras imports any module that a config names, calls any TensorFlow function that it names, and
follows links out of an HDF5 file (keras-team/tf-keras#921). So it sees a file only where our own reader has
rebuilt it, and then only through the handle that was checked, where every class is one of Keras' own
by name and every function one of the few that are rebuilt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras

from resnet_edge.models._config import check_config, serialized
from resnet_edge.models._hdf5 import check_hdf5, ended_after
from resnet_edge.models._keras2_calls import CALLS, FUNCTIONS
from resnet_edge.models._load import first_line
from resnet_edge.models.witness import NoWitness, Witness, sum_rounding

_ROOMS = {
    "keras.layers": keras.layers,
    "keras.initializers": keras.initializers,
    "keras.regularizers": keras.regularizers,
    "keras.constraints": keras.constraints,
}
_MODELS = {"Functional", "Model", "Sequential"}
_MODEL_MODULES = {
    "keras",
    "keras.models",
    "keras.src.engine.functional",
    "keras.src.engine.sequential",
    "keras.src.engine.training",
}
_POLICIES = {"Policy", "DTypePolicy"}
_READ_FILES = {"StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization", "FeatureSpace"}
"""Their vocabulary may be the path of a file of this machine."""


def tf_keras_witness(path: Path) -> Witness:
    """The model in `path`, which `_keras2` has rebuilt. Raises NoWitness."""
    try:
        import tf_keras
    except ImportError:
        raise NoWitness(
            "tf_keras, which reads files of Keras 2, is not installed (pip install tf_keras)"
        ) from None
    loader = f"tf_keras {tf_keras.__version__}"
    with h5py.File(path, "r") as opened:  # one handle for the checks and for what they are of
        with ended_after():
            check_hdf5(opened, path.name)
        check_safe(json.loads(opened.attrs["model_config"]), path.name)
        try:
            model = tf_keras.models.load_model(opened, compile=False)
        except MemoryError:
            raise
        except Exception as error:  # tf_keras raises whatever broke inside
            raise NoWitness(f"{loader} cannot read {path.name} ({first_line(error)})") from error

    def network(images: Any) -> Any:
        return keras.tree.flatten(model(images, training=False))[0]

    return Witness(loader=loader, network=network, rounding=sum_rounding(model.weights), trackable=model)


def check_safe(config: Any, file: str) -> None:
    """Raises NoWitness where a `model_config` names what tf_keras might look up, import or call beside
    the classes of Keras and the functions that `_keras2_calls` rebuilds; ModelError as `check_config`."""
    check_config(config, file, tensorflow_calls=True)
    if _has_key(config, "compile_config"):  # which nothing else looks into
        raise NoWitness(f"{file} says inside how a part of it was compiled, which is not safe for tf_keras")
    for entry in serialized(config, file):
        if not _is_known(entry):
            raise NoWitness(
                f"{file} names {entry.get('class_name')!r} of {entry.get('module') or 'Keras'}, which is not "
                "safe to give to tf_keras"
            )


def _is_known(entry: dict[str, Any]) -> bool:
    name, module, inner = entry["class_name"], entry.get("module"), entry.get("config")
    if not isinstance(name, str) or name in _READ_FILES:
        return False
    if name in CALLS:
        return isinstance(inner, dict) and inner.get("function") in FUNCTIONS
    if name == "function":
        return module == "builtins" and isinstance(inner, str) and _is_in(keras.activations, inner)
    if name in _MODELS:
        return module is None or module in _MODEL_MODULES
    if name in _POLICIES:
        return module in (None, "keras", "keras.mixed_precision")
    if name == "__ellipsis__":
        return module is None
    rooms = _ROOMS.values() if module is None else [_ROOMS[module]] if module in _ROOMS else []
    return any(isinstance(getattr(room, name, None), type) for room in rooms)


def _is_in(room: Any, name: str) -> bool:
    return not name.startswith("_") and callable(getattr(room, name, None))


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
