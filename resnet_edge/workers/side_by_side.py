"""How many workers run artifacts side by side on a machine."""

from __future__ import annotations

from resnet_edge.core.machine import available_memory, usable_cores

FEWEST = 2
"""Workers, where memory allows it: with one, a slow proof would hold up all others. Each takes the memory of
a runtime with one artifact open, and runs on one thread."""
MEMORY_EACH = 1 << 30
"""Bytes that must be free for each: a ResNet-50 in float takes 0.4 GB, a ResNet-152 twice that."""


def how_many() -> int:
    """On this machine, at this moment."""
    memory, wanted = available_memory(), max(FEWEST, usable_cores())
    return wanted if memory is None else max(1, min(wanted, int(memory // MEMORY_EACH)))
