"""Runs in a worker. Whether the weights that a user's program loads reach the layers of its model.

`load_weights(..., skip_mismatch=True)` warns in the middle of a log, and `by_name=True` says nothing where no
name is the same. What is left is a model of random weights, which converts without a fault. So while the
program runs, each layer is held against what it was before each loading.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras

from resnet_edge.core.errors import first_line
from resnet_edge.models._held import replaced

SHOWN = 4
"""Names of layers that a sentence has."""

_SAID = ("could not be loaded", "Skipping loading", "retain their freshly-initialized weights")
"""What Keras 3.15 warns with (saving_lib._raise_loading_failure and _load_container_state,
legacy_h5_format._set_weights)."""


@dataclass
class LoadedWeights:
    """What was loaded so far. A layer that one file left as it was may have got its weights from another."""

    _left: dict[int, Any] = field(default_factory=dict)
    _reached: dict[int, Any] = field(default_factory=dict)
    _warnings: list[str] = field(default_factory=list)

    def missing(self, model: keras.Model) -> str:
        """A sentence where layers of `model` kept the values that they were made with; else empty."""
        layers = [layer for layer in model._flatten_layers() if layer.weights and not any(_inside(layer))]
        left = [layer for layer in layers if id(layer) in self._left and id(layer) not in self._reached]
        if left:
            names = ", ".join(layer.name for layer in left[:SHOWN])
            more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
            return (
                f"load_weights left {len(left)} of {len(layers)} layers with the weights they were made"
                f" with ({names}{more}): the file is of another network, or has layers of other names; load "
                "it without skip_mismatch, by_name and try, which says what does not fit"
            )
        if self._warnings and any(id(layer) not in self._reached for layer in layers):
            warned = self._warnings[0]
            return f"weights did not load, as Keras warned ({warned}): load them without skip_mismatch"
        return ""

    def watched(self, model: Any, load: Any) -> Any:
        """What `load()` gives, which loads weights into `model`."""
        before = _digests(model)
        try:
            return load()
        finally:  # a program may catch what fails on the way, and go on with half of the weights
            for key, (layer, digest) in _digests(model).items():
                if key in before:
                    (self._left if before[key][1] == digest else self._reached)[key] = layer

    def warned(self, message: str) -> bool:
        """Whether that is a warning of Keras about weights; it is kept."""
        if not any(words in message for words in _SAID):
            return False
        self._warnings.append(first_line(Exception(message)))
        return True


@contextmanager
def watching() -> Iterator[LoadedWeights]:
    """Within, what models of Keras load is watched."""
    loaded, load = LoadedWeights(), keras.Model.load_weights

    def load_weights(model: Any, *args: Any, **kwargs: Any) -> Any:
        return loaded.watched(model, lambda: load(model, *args, **kwargs))

    with replaced(keras.Model, "load_weights", load_weights), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield loaded
        finally:
            unrelated = [each for each in caught if not loaded.warned(str(each.message))]
    for each in unrelated:  # as they would have been shown
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _digests(model: Any) -> dict[int, tuple[Any, bytes]]:
    """Each layer that holds no other, with what stands in its weights."""
    digests = {}
    for layer in model._flatten_layers():
        if layer.built and layer.weights and not any(_inside(layer)):
            values = (keras.ops.convert_to_numpy(weight).tobytes() for weight in layer.weights)
            digests[id(layer)] = (layer, hashlib.sha256(b"".join(values)).digest())
    return digests


def _inside(layer: Any) -> Iterator[Any]:
    yield from layer._flatten_layers(include_self=False)
