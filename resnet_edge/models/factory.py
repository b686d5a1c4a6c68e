"""`package.module:factory`: a callable of the user's that returns a Keras model, such as its class.

Constants may stand behind it: `package.module:ResNet(3, 10)`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.workers.environment import share_keras_cache
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.progress import OnProgress


def check(request: ModelRequest) -> None:
    """Whether the package is there; nothing of it runs. Raises ModelError."""
    package = request.source.partition(":")[0].partition(".")[0]
    built_in = package in sys.builtin_module_names
    if not built_in and importlib.machinery.PathFinder.find_spec(package, [os.getcwd(), *sys.path]) is None:
        raise ModelError(
            f"{request.source}: no package {package!r} here: run in the folder that holds {package}.py or "
            f"{package}/, or install it"
        )


def grant(request: ModelRequest) -> Grant:
    """All that the user may do: it is the user's own program."""
    return Grant(free=True, imports_here=True)


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Import, call, look. Raises ModelError, UsageError."""
    from resnet_edge.models import _opened
    from resnet_edge.models._loaded_weights import watching

    path, arguments = _called(request.source)
    with _own_settings(), watching() as loaded:
        model = _model(_resolve(path), arguments, request.source)
    name = path.partition(":")[2].rpartition(".")[2]
    return _opened.opened(
        model, request, _opened.Origin(name=safe_name(name), not_loaded=loaded.missing(model))
    )


def _called(source: str) -> tuple[str, tuple[Any, ...] | None]:
    """`module:name`, and the constants that stand in brackets behind it: `nets:ResNet(3, 10)`. None: there
    are no brackets. Raises ModelError for what is no constant."""
    path, bracket, inside = source.partition("(")
    if not bracket:
        return path, None
    values = inside.rpartition(")")[0].strip().rstrip(",")
    try:
        return path, tuple(ast.literal_eval(f"[{values}]"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ModelError(
            f"{source}: in brackets only numbers, texts and lists of them may stand, as in {path}(3, 10): "
            "write a function without arguments for anything else"
        ) from None


@contextmanager
def _own_settings() -> Iterator[None]:
    """Within, a program may set what Keras makes layers with; what is built afterwards is not its own."""
    import keras

    config = keras.config
    before = config.dtype_policy(), config.image_data_format(), config.floatx()
    try:
        yield
    finally:
        config.set_dtype_policy(before[0])
        config.set_image_data_format(before[1])
        config.set_floatx(before[2])


def _resolve(source: str) -> Any:
    module, _, path = source.partition(":")
    for kept in ("models", "datasets"):  # what the user's program may download
        share_keras_cache(kept)
    try:
        with _current_folder_first():
            value: Any = importlib.import_module(module)
    except Exception as error:  # whatever the user's module raises
        raise _broke(source, f"{module} cannot be imported", error) from error
    for part in path.split("."):
        if not hasattr(value, part):
            raise ModelError(f"{source}: {module} has no {path!r}: check the spelling")
        value = getattr(value, part)
    return value


@contextmanager
def _current_folder_first() -> Iterator[None]:
    """Within, as a program that lies there would have it; afterwards last, where it shadows nothing of what
    libraries import later on."""
    import keras  # noqa: F401 - with what it imports

    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            sys.path.append(here)


def _model(symbol: Any, arguments: tuple[Any, ...] | None, source: str) -> Any:
    import keras

    if isinstance(symbol, keras.Model) and arguments is None:
        return symbol
    if not callable(symbol):
        raise ModelError(f"{source} is a {type(symbol).__name__}, not a function that returns a Keras model")
    try:
        model = symbol(*(arguments or ()))
    except Exception as error:  # whatever the user's function raises
        broke = _broke(source, "it failed", error)
        if arguments is None and isinstance(error, TypeError) and "required positional" in str(error):
            raise ModelError(f"{broke}: say them in brackets, as in {source}(3, 10)") from error
        raise broke from error
    if isinstance(model, keras.Model):
        return model
    kind = type(model)
    old = any(base.__module__.startswith("tf_keras.") for base in kind.__mro__)
    hint = "build it with `keras` (Keras 3), not tf_keras" if old else "return the model"
    raise ModelError(f"{source} returned a {kind.__module__}.{kind.__name__}, not a keras.Model: {hint}")


def _broke(source: str, what: str, error: Exception) -> ModelError:

    return ModelError(f"{source}: {what}: {type(error).__name__}: {first_line(error)}")
