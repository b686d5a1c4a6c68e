"""Runs in a worker. Names of layers as TensorFlow's scopes can hold them.

A Keras file can hold any name but one with a slash, and on JAX or torch every name works. TensorFlow raises
ValueError while it traces one with a space or another alphabet, and TFLite separates the operations that it
fused by `;`. Keras 2 has slashes besides (DenseNet: conv1/bn).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import keras

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
"""What tensorflow/python/framework/ops.py (_VALID_OP_NAME_REGEX) allows, without the separators / and >."""

_BEGINNING = re.compile(r"[A-Za-z0-9.]")


def with_safe_names(model: keras.Model) -> dict[str, str]:
    """Rename what is at or below `model` where TensorFlow cannot hold its name.

    Gives the own name of each new one; {} where nothing was to be done. The same name becomes the same
    everywhere, and no two become one.
    """
    named = list(named_parts(model))
    taken = {each.name for each in named}
    new: dict[str, str] = {}
    for each in named:
        own = each.name
        if own not in new and not is_safe(own):
            new[own] = _unique(safe_scope(own), taken)
            taken.add(new[own])
        each.name = new.get(own, own)
    if new:
        _rename_variables(model)
    return {safe: own for own, safe in new.items()}


def _rename_variables(model: keras.Model) -> None:
    """Those of TensorFlow below `model`, which a SavedModel makes scopes of; Keras' own keep their path."""
    for variable in model.variables:
        value: Any = variable.value
        if (handle := getattr(value, "_handle_name", None)) is not None:  # `name` cannot be set
            value._handle_name = "/".join(map(safe_scope, handle.removesuffix(":0").split("/"))) + ":0"


def is_safe(name: str) -> bool:
    """Whether TensorFlow can open a scope of that name."""
    return safe_scope(name) == name


def safe_scope(name: str) -> str:
    """`name` with an underscore for each character that a scope cannot hold; not unique."""
    safe = _UNSAFE.sub("_", name)
    return safe if _BEGINNING.match(safe) else f"layer{safe}"


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def named_parts(model: Any) -> Iterator[Any]:
    """Each layer and operation once, the model itself first."""
    seen: set[int] = set()
    stack = [model]
    while stack:
        item = stack.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        stack += [*getattr(item, "_layers", ()), *getattr(item, "operations", ())]
        stack += [inner] if (inner := getattr(item, "_functional", None)) is not None else []
