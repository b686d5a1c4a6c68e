"""Runs in a worker. A model of Keras 3, made of a config that passed the checks of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
from keras.src.legacy.saving import json_utils, legacy_h5_format, saving_options, saving_utils
from keras.src.saving import saving_lib, serialization_lib

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models._budget import within_budget
from resnet_edge.models._config import check_config
from resnet_edge.models._held import held
from resnet_edge.models._state import finalize_state


def with_keras(
    path: Path, config: Any, held_bytes: int, check_weights: Callable[[], int] | None = None
) -> keras.Model:
    """The uncompiled model of `config`, with the weights in `path`, which declares `held_bytes` of them.
    `check_weights` looks into them, once they are known to be no more than the model needs, and finds how
    many bytes they unpack to.
    Raises ModelError.

    Keras' `load_model` reads the config once more, from the file; here it is the one that was checked.
    """
    check_config(config, path.name)
    try:
        with held():
            with within_budget(path.name, held_bytes) as budget:
                model = _model_of(config, path)
            if isinstance(model, keras.Model):
                budget.check_file(held_bytes)
                if check_weights is not None:
                    budget.check_file(check_weights())
                _load_weights(model, path)
    except (MemoryError, ModelError):
        raise
    except Exception as error:  # Keras has no error kind of its own: it raises whatever broke inside
        raise ModelError(
            f"{path} cannot be read by Keras {keras.__version__} ({first_line(error)}): copy or save it "
            "again, or give package.module:factory that builds it"
        ) from error
    if not isinstance(model, keras.Model):
        raise ModelError(f"{path} holds a {type(model).__name__}, not a model: save the whole model")
    finalize_state(model)
    return model


def _model_of(config: Any, path: Path) -> Any:
    """As `load_model` does it."""
    if path.suffix.lower() == ".keras":
        with serialization_lib.ObjectSharingScope():
            return serialization_lib.deserialize_keras_object(config, safe_mode=True)
    with saving_options.keras_option_scope(use_legacy_config=True), serialization_lib.SafeModeScope(True):
        return saving_utils.model_from_config(json_utils.decode(json.dumps(config)))


def _load_weights(model: keras.Model, path: Path) -> None:
    if path.suffix.lower() == ".keras":
        saving_lib.load_weights_only(model, str(path))
        return
    with h5py.File(path, "r") as opened:
        group = saving_lib.safe_get_h5_group(opened, "model_weights")
        legacy_h5_format.load_weights_from_hdf5_group(group, model)
