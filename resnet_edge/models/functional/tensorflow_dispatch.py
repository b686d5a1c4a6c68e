"""Runs in a worker. Functions of TensorFlow that get symbolic tensors, while a call is recorded.

TensorFlow gives a function that refused its arguments to whoever registered (`tf.__internal__.dispatch`), for
as long as the process lives: it has no way to take that back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import KerasTensor, tree
from tensorflow.python.util.tf_export import get_canonical_name_for_symbol

from resnet_edge.models.functional import tensorflow_calls

Refused = Callable[[str], None]
"""Takes the name of a function that is not known."""

_listening: list[Refused] = []
_registered: list[Any] = []


def listen(refused: Refused) -> None:
    """From here on, until `stop`, functions of TensorFlow take symbolic tensors."""
    if not _registered:
        _registered.append(_Dispatcher())
        _registered[0].register()
    _listening.append(refused)


def stop() -> None:
    """The end of the last `listen`."""
    _listening.pop()


class _Dispatcher(tf.__internal__.dispatch.GlobalOpDispatcher):
    def handle(self, op: Any, args: Any, kwargs: Any) -> Any:
        """The result, or NOT_SUPPORTED: then TensorFlow raises what it would have raised."""
        if not _listening or not any(isinstance(leaf, KerasTensor) for leaf in tree.flatten((args, kwargs))):
            return self.NOT_SUPPORTED
        name = get_canonical_name_for_symbol(op, add_prefix_to_v1_names=True) or getattr(op, "__name__", "?")
        given = inspect.signature(op).bind(*args, **kwargs).arguments
        try:
            return tensorflow_calls.called(
                name, {key: value for key, value in given.items() if key != "name" and value is not None}
            )
        except tensorflow_calls.Unknown:
            _listening[-1](name)
            return self.NOT_SUPPORTED
