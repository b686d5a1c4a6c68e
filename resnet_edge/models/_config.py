"""What a Keras model's config may name, checked on the JSON before Keras reads it.

Keras has had several ways round `safe_mode` (CVE-2024-3660, CVE-2025-1550, CVE-2025-8747,
CVE-2025-9906), so nothing reaches its deserialiser that is not built into Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_edge.core.errors import ModelError

_MODULES = (
    "keras.layers",
    "keras.models",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.activations",
    "keras.dtype_policies",
    "keras.mixed_precision",
    "keras.quantizers",
    "keras.ops",
    "keras.random",
    "keras.src.applications",
    "keras.src.models",
    "keras.src.layers",
    "keras.src.ops",
    "keras.src.dtype_policies",
)
"""Modules (and their submodules) whose classes may appear; "keras" alone holds Model and friends."""

_PLAIN = {"__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__", "__bytes__"}
_LAMBDAS = {"Lambda", "__lambda__"}
_TF_CALLS = {"TFOpLambda", "SlicingOpLambda"}
_FOREIGN = {
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "ClassMethod",
    "InstanceMethod",
    "__typespec__",
}
"""Built into Keras, and code or another file all the same."""

_MAX_DEPTH = 200


def check_config(config: Any, file: str, *, tensorflow_calls: bool = False) -> None:
    """Refuse what is not built into Keras; `tensorflow_calls`: the caller judges those itself.

    Raises ModelError for a Lambda layer, a custom class, or nesting that no model has.
    """
    for entry in serialized(config, file):
        name = str(entry["class_name"])
        if name in _LAMBDAS:
            raise ModelError(
                f"{file} has a Lambda layer{_called(entry)}, which is code in a model file and is never run: "
                "replace it with a built-in layer (Rescaling for scaling), or give package.module:factory"
            )
        if name in _FOREIGN:
            raise ModelError(
                f"{file} has a {name}{_called(entry)}, which is code of another kind: "
                "give package.module:factory, a function of yours that returns the loaded model"
            )
        if name in _TF_CALLS and not tensorflow_calls:
            raise ModelError(
                f"{file} calls a TensorFlow function as a layer{_called(entry)}, which Keras 3 cannot do: "
                "use a built-in layer (Rescaling for scaling), or save it as a SavedModel and pass --trust"
            )
        if not _built_in(name, entry):
            raise ModelError(
                f"{file} has the custom class {entry.get('registered_name') or name!r}, which only your code "
                "defines: give package.module:factory, a function of yours that returns the loaded model"
            )


def serialized(value: Any, file: str) -> Iterator[dict[str, Any]]:
    """Every serialised object inside `value`; how the model was compiled does not matter."""
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > _MAX_DEPTH:
            raise ModelError(f"{file} is nested deeper than any real model: it is damaged or hostile")
        if isinstance(item, dict):
            if "class_name" in item:
                yield item
            stack += [(v, depth + 1) for k, v in item.items() if k != "compile_config"]
        elif isinstance(item, list):
            stack += [(v, depth + 1) for v in item]


def _built_in(name: str, entry: dict[str, Any]) -> bool:
    if name in _PLAIN:
        return True
    registered = entry.get("registered_name")
    if isinstance(registered, str) and ">" in registered and not registered.startswith("keras"):
        return False
    if "module" not in entry:
        return True  # the older form names Keras' own classes only; Keras refuses all others
    module = entry["module"]
    if name == "function" and module == "builtins":
        return True  # how Keras spells its own activations
    return module == "keras" or any(module == m or str(module).startswith(m + ".") for m in _MODULES)


def _called(entry: dict[str, Any]) -> str:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f" ({name})" if isinstance(name, str) else ""
