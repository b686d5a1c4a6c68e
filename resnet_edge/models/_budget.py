"""Runs in a worker. What a model of a file may ask for while Keras builds it, before it is allocated.

A config of a kilobyte can ask for any number of weights, or for activations of any size. Weights are counted
as layers make them, and held against those that the file declares; tensors as layers give them, and held
against the memory of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any

import keras
from keras import KerasTensor

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ModelError
from resnet_edge.core.machine import available_memory
from resnet_edge.models._held import replaced
from resnet_edge.models.witness import IMAGES

COPIES = 5
"""How often a file can hold each weight: itself, the three of AMSGrad, and a moving average."""


class Budget:
    """Raises ModelError, in the name of `file`, once a model asks for more than it may."""

    def __init__(self, file: str, held_bytes: int | None) -> None:
        self._file, self._held, self._memory = file, held_bytes, available_memory()
        self.weight_bytes, self.refusal = 0, ""

    def add_weight(self, shape: Any, dtype: Any) -> None:
        """One more array of weights is about to be made."""
        self.weight_bytes += prod(shape) * _size_of(dtype)
        if self._held is not None and self.weight_bytes > max(PROMISE, self._held):
            self._refuse(
                f"{self._file} has layers with {self.weight_bytes:,} bytes of weights and more, and holds "
                f"{self._held:,}: it is damaged or hostile; save it again"
            )

    def add_tensor(self, shape: Any, dtype: Any) -> None:
        """A layer gives one more tensor; an open size counts as 1."""
        one = prod(size or 1 for size in shape) * _size_of(dtype)
        need = IMAGES * one
        if self._memory is not None and need > max(PROMISE, self._memory):
            self._refuse(
                f"{self._file} has a layer that gives {tuple(shape)[1:]}, {one:,} bytes for an image and "
                f"{need:,} for the {IMAGES} that are run together, and {self._memory:,} bytes of memory are "
                "free: give a model of smaller layers, or use a machine with more memory"
            )

    def _refuse(self, text: str) -> None:
        """Keras puts words of its own around what is raised inside of its layers: `text` is told."""
        self.refusal = self.refusal or text
        raise ModelError(text)

    def check_file(self, held_bytes: int) -> None:
        """Raises ModelError where the file holds more than the model that was built can have in it."""
        if held_bytes > max(PROMISE, COPIES * self.weight_bytes):
            raise ModelError(
                f"{self._file} declares {held_bytes:,} bytes of weights, and its layers have "
                f"{self.weight_bytes:,}: it is damaged or hostile; save it again"
            )


@contextmanager
def within_budget(file: str, held_bytes: int | None) -> Iterator[Budget]:
    """Within, models of Keras 3 are built on the budget of a `file` that declares `held_bytes` of weights
    (None: there are none to be held against)."""
    budget = Budget(file, held_bytes)
    make_weight, make_tensor = keras.Variable._initialize_with_initializer, KerasTensor.__init__

    def counted_weight(self: Any, initializer: Any) -> None:
        budget.add_weight(self.shape, self.dtype)
        make_weight(self, initializer)

    def counted_tensor(self: Any, *args: Any, **kwargs: Any) -> None:
        make_tensor(self, *args, **kwargs)
        budget.add_tensor(self.shape, self.dtype)

    with ExitStack() as stack:
        stack.enter_context(replaced(keras.Variable, "_initialize_with_initializer", counted_weight))
        stack.enter_context(replaced(KerasTensor, "__init__", counted_tensor))
        try:
            yield budget
        except Exception as error:  # Keras': around what was raised here, or of its own
            if budget.refusal:
                raise ModelError(budget.refusal) from error
            raise


def check_activations(
    model: keras.Model, network: Callable[[Any], Any], shape: tuple[int, int, int], source: str
) -> None:
    """Hold what layers give against memory, where the model itself leaves the size of its images open.
    Raises ModelError."""
    inputs = getattr(model, "inputs", None)
    if not inputs or None not in inputs[0].shape[1:]:
        return
    try:
        with within_budget(source, None):
            network(KerasTensor((1, *shape)))
    except ModelError:
        raise
    except Exception:  # it does not run on images of this size, which running it says better
        return


def _size_of(dtype: Any) -> int:
    name = keras.backend.standardize_dtype(dtype)
    bits = re.search(r"\d+", name)  # bool and string have none
    return max(1, int(bits[0]) // 8) if bits else 1
