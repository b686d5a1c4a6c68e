"""The memory that TFLite Micro works in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arena:
    """The arena of a model, in bytes, as TFLite Micro counts it on this machine.

    `head_bytes` are activations and scratch memory, `tail_bytes` what lives as long as the interpreter.
    `bytes_used` is both. `smallest_bytes`, a multiple of 1024, is the smallest arena in which the model was
    opened and run. Pointers take 8 bytes here and 4 on a microcontroller: there the tail is smaller.
    """

    bytes_used: int
    head_bytes: int
    tail_bytes: int
    smallest_bytes: int
