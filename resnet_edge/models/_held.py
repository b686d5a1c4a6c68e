"""Runs in a worker. Keras' own lookup of classes and functions, held to the list in `_allowed`.

`_config` refuses what is not on the list by what the JSON says. Keras reads that JSON in several
dialects (`serialization_lib`, `legacy.saving.serialization`, each with and without `module_objects`), and
every CVE of its deserialiser was a spelling that a check had not thought of. So while a file opens, the
three places where Keras turns a name into an object are ours:

- `serialization_lib._retrieve_class_or_fn`, which imports modules and returns any exported symbol
  (keras/src/saving/serialization_lib.py of 3.15.1; tf_keras/src/saving/serialization_lib.py of 2.21.0);
- `object_registration.get_registered_object`, which the older form of `.h5` files asks;
- the register of custom objects, which both ask first.

Nor is any part compiled: Keras 3 leaves that out for the outermost model alone. Remove this when Keras
takes an allow-list of its own (keras-team/keras#22035 adds one class more to what it refuses).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from resnet_edge.core.errors import ModelError
from resnet_edge.models import _allowed

_REGISTERS = ("GLOBAL_CUSTOM_OBJECTS", "_GLOBAL_CUSTOM_OBJECTS")
"""In Keras 3 and tf_keras."""


@contextmanager
def held(library: str = "keras") -> Iterator[None]:
    """Within, `library` (keras or tf_keras) resolves only what is on the list; all else is a TypeError.

    Raises ModelError where this release of Keras keeps its lookup elsewhere.
    """
    with ExitStack() as stack:
        try:
            lookup = importlib.import_module(f"{library}.src.saving.serialization_lib")
            register = importlib.import_module(f"{library}.src.saving.object_registration")
            trainer = importlib.import_module(f"{library}.models").Model
            stack.enter_context(replaced(lookup, "_retrieve_class_or_fn", _resolver(library)))
            stack.enter_context(replaced(register, "get_registered_object", _unnamed(library)))
            stack.enter_context(replaced(trainer, "compile_from_config", lambda self, config: None))
            stack.enter_context(_emptied(register))
        except (ImportError, AttributeError) as error:
            raise ModelError(
                f"this release of {library} looks up names in another way than resnet-edge knows, and is not "
                f"given files ({error}): install the release that pyproject.toml names"
            ) from error
        yield


def _resolver(library: str) -> Any:
    """In place of `_retrieve_class_or_fn`, with its arguments."""
    keras2 = library != "keras"
    classes = _allowed.KERAS2_CLASSES if keras2 else _allowed.CLASSES
    functions = _allowed.KERAS2_FUNCTIONS if keras2 else _allowed.FUNCTIONS

    def resolve(
        name: Any,
        registered_name: Any,
        module: Any,
        obj_type: Any,
        full_config: Any,
        custom_objects: Any = None,
    ) -> Any:
        is_class = obj_type != "function"
        if (module, name) not in (classes if is_class else functions):
            raise TypeError(f"{module}.{name} is not among what a model file may name")
        resolved = getattr(importlib.import_module(_home(library, module)), name, None)
        if resolved is None or isinstance(resolved, type) != is_class:
            raise TypeError(f"{library} has no {'class' if is_class else 'function'} {module}.{name}")
        return resolved

    return resolve


def _home(library: str, module: str) -> str:
    """Where the installed `library` keeps what files call `module`."""
    if module == "builtins":
        return f"{library}.activations"
    if library == "keras":
        return module
    inner = module.removeprefix("tf_").removeprefix("keras").removeprefix(".src")
    return f"{library}{'.src' if inner.startswith(('.engine.', '.layers.core.')) else ''}{inner}"


def _unnamed(library: str) -> Any:
    """In place of `get_registered_object`, with its arguments: among Keras' own, and only by the list."""
    listed = _allowed.UNNAMED if library == "keras" else _allowed.UNNAMED | _allowed.TF_CALLS

    def look_up(name: Any, custom_objects: Any = None, module_objects: Any = None) -> Any:
        value = (module_objects or {}).get(name) if isinstance(name, str) and name in listed else None
        return value if isinstance(value, type) else None

    return look_up


@contextmanager
def replaced(owner: Any, name: str, instead: Any) -> Iterator[None]:
    """Within, `owner` has `instead` under `name`."""
    before, own = getattr(owner, name), name in vars(owner)
    setattr(owner, name, instead)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


@contextmanager
def _emptied(register: Any) -> Iterator[None]:
    objects = next(registry for name in _REGISTERS if (registry := getattr(register, name, None)) is not None)
    before = dict(objects)
    objects.clear()
    try:
        yield
    finally:
        objects.update(before)
