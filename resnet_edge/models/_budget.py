"""Runs in a worker. What a model of a file may ask for while Keras builds it, before it is allocated.

A config of a kilobyte can ask for any number of weights, or for activations of any size. Weights are counted
as layers make them, and held against those that the file declares; tensors as layers give them, and held
against the memory of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
from keras import KerasTensor

from resnet_edge.core.errors import ModelError
from resnet_edge.models._file_budget import Budget
from resnet_edge.models._held import replaced


@contextmanager
def within_budget(file: str, held_bytes: int | None) -> Iterator[Budget]:
    """Within, models of Keras 3 are built on the budget of a `file` that declares `held_bytes` of weights
    (None: there are none to be held against)."""
    budget = Budget(file, held_bytes)
    make_weight, make_tensor = keras.Variable._initialize_with_initializer, KerasTensor.__init__

    def counted_weight(self: Any, initializer: Any) -> None:
        budget.add_weight(self.shape, _size_of(self.dtype))
        if isinstance(initializer, keras.initializers.Orthogonal):
            # It decomposes a matrix, a minute for one of 500 MB, and the values of the file are set next.
            initializer = keras.initializers.Zeros()
        make_weight(self, initializer)

    def counted_tensor(self: Any, *args: Any, **kwargs: Any) -> None:
        make_tensor(self, *args, **kwargs)
        budget.add_tensor(tuple(self.shape), _size_of(self.dtype))

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
