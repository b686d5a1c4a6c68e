"""What a model of a file may ask for: weights are held against those that the file declares, tensors against
the memory of this machine. `_declared_sizes` counts by the config alone, `_budget` while Keras builds."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ModelError
from resnet_edge.core.machine import available_memory

COPIES = 5
"""How often a file can hold each weight: itself, the three of AMSGrad, and a moving average."""

IMAGES = 8
"""That are run together. A wrong weight shows on one image; more are for layers that are silent on some."""

MOST = 10**18
"""Bytes. There are no more."""


UNHELD = PROMISE // 10
"""Bytes of weights that a model may have which a file does not hold: to make their first values takes up to
five times as many (2.4 GB for 479 MB of GlorotUniform), and the framework takes the rest of the promise."""

PACKED = 10
"""How many times smaller the weights of a pruned model are where they were packed (h5repack)."""


def weights_for(held_bytes: int) -> int:
    """Bytes of weights that a file may be opened for which holds so many."""
    return max(held_bytes, min(PROMISE, max(UNHELD, PACKED * held_bytes)))


class Budget:
    """Raises ModelError, in the name of `file`, once a model asks for more than it may."""

    def __init__(self, file: str, held_bytes: int | None) -> None:
        self._file, self._held, self._memory = file, held_bytes, available_memory()
        self.weight_bytes, self.refusal = 0, ""

    def add_weight(self, shape: Iterable[int], item: int) -> None:
        """One more array of weights, of `item` bytes each."""
        self.weight_bytes += _product(shape) * item
        if self._held is not None and self.weight_bytes > weights_for(self._held):
            self._refuse(
                f"{self._file} has layers with {self.weight_bytes:,} bytes of weights and more, and holds "
                f"{self._held:,}: it is damaged or hostile; save it again"
            )

    def add_tensor(self, shape: tuple[int | None, ...], item: int) -> None:
        """A layer gives one more tensor, batch first, of `item` bytes each; an open size counts as 1."""
        one = _product(size or 1 for size in shape) * item
        need = IMAGES * one
        if self._memory is not None and need > max(PROMISE, self._memory):
            self._refuse(
                f"{self._file} has a layer that gives {str(shape[1:])[:80]}, {one:,} bytes for an image and "
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


def _product(sizes: Iterable[int]) -> int:
    """Cut where it is more than any memory: the digits of a number can be as many as a file has bytes."""
    product = 1
    for size in sizes:
        product = min(product * min(size, MOST), MOST)
    return product
