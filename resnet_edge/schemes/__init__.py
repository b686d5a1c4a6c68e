"""Schemes: how numbers are represented. One file each, data only, named like the option value.

To add one, add a file with a `SCHEME`; `tests/contracts` picks it up and asks that at least
one format takes it.
"""

from __future__ import annotations

from resnet_edge.core import registry
from resnet_edge.core.scheme import Scheme


def scheme_of(name: str) -> Scheme:
    """What a name stands for. Raises UnknownName."""
    scheme: Scheme = registry.load("schemes", name).SCHEME
    return scheme


def scheme_named(name: str) -> Scheme | None:
    """The same; None where it is no name of ours, as of a file that others converted."""
    return scheme_of(name) if name in registry.names("schemes") else None


def baseline() -> str:
    """The scheme of the model itself, which others are compared with."""
    return name_of("float32", "float32")


def name_of(weights: str, activations: str) -> str:
    """The scheme that stores and computes in these dtypes."""
    of = {name: scheme_of(name) for name in registry.names("schemes")}
    return next(key for key, each in of.items() if (each.weights, each.activations) == (weights, activations))
