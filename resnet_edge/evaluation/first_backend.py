"""Runs in the parent. Where a file runs when nobody named a backend."""

from __future__ import annotations

from resnet_edge.core import registry

_NONE: tuple[str, ...] = ()
FIRST_BACKEND = {
    suffix: name
    for name in registry.names("backends")
    for suffix in registry.constant("backends", name, "FIRST_FOR", _NONE)
}
"""By suffix: the backend that `convert` proves on."""
