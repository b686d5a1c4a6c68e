"""Runs in the parent. Where a file runs when nobody named a backend."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core import registry

_NONE: tuple[str, ...] = ()
FIRST_BACKEND = {
    suffix: name
    for name in registry.names("backends")
    for suffix in registry.constant("backends", name, "FIRST_FOR", _NONE)
}
"""By suffix: the backend that `convert` proves on."""


def first_backends(formats: Iterable[str]) -> tuple[str, ...]:
    """Those of files of these formats, where nobody named a backend."""
    return tuple(dict.fromkeys(FIRST_BACKEND[name] for name in formats if name in FIRST_BACKEND))
