"""Runs in a worker. A model file into Keras 3, after the checks of its kind."""

from __future__ import annotations

from pathlib import Path

import keras

from resnet_edge.core.errors import ModelError
from resnet_edge.models._state import finalize_state

_CAUSE = "Exception encountered:"


def with_keras(path: Path) -> keras.Model:
    """The uncompiled model in `path`, with `safe_mode`. Raises ModelError."""
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # Keras has no error kind of its own: it raises whatever broke inside
        raise ModelError(
            f"{path} cannot be read by Keras {keras.__version__}: {first_line(error)}"
        ) from error
    if not isinstance(model, keras.Model):
        raise ModelError(f"{path} holds a {type(model).__name__}, not a model: save the whole model")
    finalize_state(model)
    return model


def first_line(error: Exception) -> str:
    """The first line of a framework's message, cut to one that fits a terminal."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(_CAUSE)]  # Keras puts the config first, at length
    line = (causes or lines or [type(error).__name__])[0]
    return line.removeprefix(_CAUSE).strip()[:200]
