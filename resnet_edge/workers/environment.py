"""The environment variables of a worker: the user's, but for those that would change what it computes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import resnet_edge

USERS_TMPDIR = "RESNET_EDGE_USERS_TMPDIR"
"""Where temporary files go that outlive a worker by a moment: its own folder goes with it."""

USERS_KERAS_HOME = "RESNET_EDGE_USERS_KERAS_HOME"
"""Where the user's Keras keeps weights and data sets; KERAS_HOME itself is a folder of ours in a worker."""

KERAS_SETTINGS = {
    "backend": "tensorflow",
    "floatx": "float32",
    "epsilon": 1e-07,
    "image_data_format": "channels_last",
}
"""As Keras writes its keras.json. Everything here is proved with these."""

SET = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    # onnxruntime tells Microsoft of every model that it opens, on Linux too since 1.29, and only this
    # keeps it from that from the start (microsoft/onnxruntime PR#27379). A user's models are the user's.
    "ORT_DISABLE_TELEMETRY": "1",
    # A file may name a filter of HDF5, which is looked for as a library; Keras uses none
    # (docs.hdfgroup.org, "HDF5 Dynamically Loaded Filters").
    "HDF5_PLUGIN_PRELOAD": "::",
    # Before keras.json; `_keras.py` of backends and `engine` choose another for JAX, and `tfmot_worker.py`
    # tf_keras.
    "KERAS_BACKEND": "tensorflow",
}

_WHERE_PACKAGES_ARE = frozenset(
    {
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONPLATLIBDIR",
        "PYTHONUSERBASE",
        "PYTHONNOUSERSITE",
        "PYTHONPYCACHEPREFIX",
        "PYTHONDONTWRITEBYTECODE",
    }
)
"""Of the interpreter's own variables those that a worker keeps. The others would run code (PYTHONSTARTUP,
PYTHONBREAKPOINT), make errors of warnings, or leave assertions out."""


def worker_environment(
    scratch: Path, more: Mapping[str, str], *, imports_here: bool = False
) -> dict[str, str]:
    """This process's environment as a worker gets it, with `scratch` for temporary files and the settings of
    Keras, which are written there; `more` comes last. Raises OSError."""
    kept = {name: _elsewhere(name, value) for name, value in os.environ.items() if _is_kept(name, value)}
    given = {**kept, **SET, **more}
    search = _search_path(given.pop("PYTHONPATH", ""), imports_here=imports_here)
    keras_home = scratch / "keras"
    keras_home.mkdir()
    (keras_home / "keras.json").write_text(json.dumps(KERAS_SETTINGS), encoding="utf-8")
    theirs = more.get("KERAS_HOME") or users_keras_home()
    ours = {
        USERS_KERAS_HOME: str(theirs),
        USERS_TMPDIR: tempfile.gettempdir(),
        "KERAS_HOME": str(keras_home),
        "TMPDIR": str(scratch),
    }
    return {**given, **ours, **({"PYTHONPATH": search} if search else {})}


def engine() -> dict[str, str]:
    """What a worker that trains computes with, where the user's KERAS_BACKEND names another engine than
    TensorFlow: JAX, which has GPUs that TensorFlow's wheels have no CUDA for. What is trained is proved with
    TensorFlow all the same."""
    return {"KERAS_BACKEND": "jax"} if os.environ.get("KERAS_BACKEND") == "jax" else {}


def users_keras_home() -> Path:
    """Where the user's Keras keeps weights and data sets, in the parent and in a worker."""
    said = os.environ.get(USERS_KERAS_HOME) or os.environ.get("KERAS_HOME")
    # pathlib raises where there is no such home; this leaves the name as it is
    return Path(os.path.expanduser(said or "~/.keras")).absolute()


def share_keras_cache(name: str) -> Path:
    """Make what Keras keeps under `name` (models, datasets) that of the user, in this worker; give the
    folder. Where a user has no home that can be written, what is downloaded goes with the worker."""
    theirs = users_keras_home() / name
    ours = Path(os.environ.get("KERAS_HOME") or theirs.parent) / name
    with suppress(OSError):
        theirs.mkdir(parents=True, exist_ok=True)
        if ours != theirs and not ours.exists():
            ours.symlink_to(theirs, target_is_directory=True)
    return theirs


def _is_kept(name: str, value: str) -> bool:
    if name.startswith("PYTHON"):
        # code is read from there, and a relative one lies in whatever folder this is
        here = name in ("PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX") and not os.path.isabs(value)
        return name in _WHERE_PACKAGES_ARE and not here
    return not name.startswith("KERAS_") and name != "TF_USE_LEGACY_KERAS"


_LISTS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
"""Of folders that programs and libraries are loaded from."""


def _elsewhere(name: str, value: str) -> str:
    """The value without the current folder, which is where the user keeps data: in a list of folders an empty
    entry means that, as `$LD_LIBRARY_PATH:/usr/local/cuda/lib64` makes one where nothing was set before."""
    if name not in _LISTS:
        return value
    return os.pathsep.join(entry for entry in value.split(os.pathsep) if os.path.isabs(entry))


def _search_path(value: str, *, imports_here: bool) -> str:
    """PYTHONPATH without the current folder, which is what an empty entry means, and a relative one in
    whatever folder this is. A worker runs the same resnet_edge as its parent, also that of a clone."""
    entries = [entry for entry in value.split(os.pathsep) if os.path.isabs(entry) or (imports_here and value)]
    own = Path(resnet_edge.__file__).parent.parent
    if own.name not in ("site-packages", "dist-packages"):  # these come by themselves, behind the library
        entries.append(str(own))
    return os.pathsep.join(map(os.path.abspath, entries))
