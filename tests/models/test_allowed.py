"""Holds the list of what a model file may name against every name that Keras exports."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import keras
from keras.src.api_export import REGISTERED_NAMES_TO_OBJS
from keras.src.ops.function import Function
from keras.src.ops.operation import Operation

from resnet_edge.models import _allowed

PROGRAMS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
READ_FILES = {"StringLookup", "IntegerLookup", "TextVectorization"}
ABSTRACT = {"Layer", "Wrapper", "Initializer", "Regularizer", "Constraint"}
TAKE_FUNCTIONS = {
    "AssociativeScan",
    "Cond",
    "ForiLoop",
    "JVP",
    "Map",
    "Scan",
    "Switch",
    "VectorizedMap",
    "WhileLoop",
}
LOOK_UP = {"get", "serialize", "deserialize"}


def _public_modules(package: str = "keras") -> Iterator[str]:
    """Every module at or below `package` but the implementation, whose import would change the backend."""
    yield package
    for module in pkgutil.iter_modules(
        getattr(importlib.import_module(package), "__path__", []), f"{package}."
    ):
        if module.name != "keras.src":
            yield from _public_modules(module.name)


def _public_names() -> set[tuple[str, str]]:
    """Module and name of whatever can be called in Keras' public namespace."""
    names = {
        (module, name)
        for module in _public_modules()
        for name, value in vars(importlib.import_module(module)).items()
        if callable(value)
    }
    exported = (str(name).rpartition(".") for name in REGISTERED_NAMES_TO_OBJS)
    return names | {(module, name) for module, _, name in exported}


PUBLIC = _public_names()


def test_keras_has_names_enough_for_the_tests_below() -> None:
    assert len(PUBLIC) > 1000
    for each in [
        ("keras.utils", "get_file"),
        ("keras.config", "set_floatx"),
        ("keras.datasets.mnist", "load_data"),
        ("keras.saving", "load_model"),
        ("keras.layers", "TFSMLayer"),
    ]:
        assert each in PUBLIC


def _classes(module: str, base: type, left_out: set[str]) -> set[str]:
    members = vars(importlib.import_module(module)).items()
    classes = {name for name, value in members if inspect.isclass(value) and issubclass(value, base)}
    return classes - left_out


def _functions(module: str) -> set[str]:
    members = vars(importlib.import_module(module)).items()
    return {name for name, value in members if inspect.isfunction(value)} - LOOK_UP


def test_the_list_is_what_keras_has_of_each_kind() -> None:
    """A release of Keras with more fails here, so that somebody looks at what is new."""
    assert _classes("keras.layers", keras.layers.Layer, PROGRAMS | READ_FILES | ABSTRACT) == _allowed.LAYERS
    assert _classes("keras.initializers", keras.initializers.Initializer, ABSTRACT) == _allowed.INITIALIZERS
    assert _classes("keras.regularizers", keras.regularizers.Regularizer, ABSTRACT) == _allowed.REGULARIZERS
    assert _classes("keras.constraints", keras.constraints.Constraint, ABSTRACT) == _allowed.CONSTRAINTS
    assert _classes("keras.dtype_policies", object, set()) == _allowed.POLICIES
    assert _functions("keras.activations") == _allowed.ACTIVATIONS


def _below(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def test_the_operations_are_all_that_take_no_function() -> None:
    expected: set[tuple[str, str]] = {
        (each.__module__, each.__name__)
        for each in _below(Operation)
        if each.__module__.startswith(("keras.src.ops.", "keras.src.activations."))
        and not issubclass(each, Function)
        and each.__name__ not in TAKE_FUNCTIONS
    }
    listed = {
        pair for pair in _allowed.CLASSES if pair[0].startswith(("keras.src.ops.", "keras.src.activations."))
    }
    assert listed == expected
