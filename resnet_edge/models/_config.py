"""What a Keras model's config may name, checked on the JSON before Keras reads it.

Keras has had several ways round `safe_mode` (CVE-2024-3660, CVE-2025-1550, CVE-2025-8747,
CVE-2025-9906), so nothing reaches its deserialiser but pairs of module and name that stand in
`_allowed`. `_held` holds Keras' own lookup to the same list, whatever this may miss.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from resnet_edge.core.errors import ModelError
from resnet_edge.models import _allowed, _allowed_compiled

_PLAIN = {
    "__keras_tensor__",
    "__tensor__",
    "__numpy__",
    "__slice__",
    "__ellipsis__",
    "__bytes__",
    "__tuple__",
    "TensorShape",
}
_ARRAYS = {"__tensor__", "__numpy__"}
_NUMBERS = re.compile(r"bool|(u?int|b?float|complex)[0-9]{1,3}|float8_\w{1,10}")
_PLAIN_PATH = re.compile(r"[\w/ .-]*")
"""A point matches any letter, and only one."""
_LAMBDAS = {"Lambda", "__lambda__"}
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
MOST_PARTS = 250_000
"""Lists and objects in a config: 250 for each of a thousand layers. Each costs microseconds wherever the
config is walked through, and two letters of a file."""


@dataclass(frozen=True, kw_only=True)
class AllowedName:
    """One serialised object: a dict with a `class_name`.

    `key` is the one that it stands at ("" in a list and at the top); `compiled`: it says how a part of the
    model was compiled.
    """

    serialised: dict[str, Any]
    key: str
    compiled: bool

    @property
    def class_name(self) -> Any:
        return self.serialised["class_name"]

    @property
    def module(self) -> Any:
        """None where the older form gives none."""
        return self.serialised.get("module")

    @property
    def computes_alone(self) -> bool:
        """Whether it is called on values of the file alone. Keras computes that while the model opens, of any
        size; it writes only what was called on a tensor, which is a part of a graph."""
        nodes = self.serialised.get("inbound_nodes")
        if self.class_name == "InputLayer" or not isinstance(nodes, list):
            return False
        return any(isinstance(node, dict) and not _holds_tensor(node) for node in nodes)

    @property
    def is_array_of_numbers(self) -> bool:
        """Whether an array, if it is one, is of numbers; one text can take gigabytes (`U99999999`)."""
        if not isinstance(self.class_name, str) or self.class_name not in _ARRAYS:
            return True
        config = self.serialised.get("config")
        return isinstance(config, dict) and _NUMBERS.fullmatch(str(config.get("dtype"))) is not None


def parsed(text: bytes | str, file: str) -> Any:
    """The config in a JSON text. Raises ValueError, RecursionError; TypeError where it is no text, ModelError
    where it is of more parts than a model's."""
    content = text.encode() if isinstance(text, str) else text
    if not isinstance(content, bytes):
        raise TypeError(f"a {type(text).__name__} is no text")
    if (parts := content.count(b"{") + content.count(b"[")) > MOST_PARTS:
        raise ModelError(
            f"{file} has a config of {parts:,} lists and objects, and a model needs {MOST_PARTS:,} at most: "
            "it is damaged or hostile; save it again"
        )
    return json.loads(content)


def check_config(config: Any, file: str, *, keras2: bool = False) -> None:
    """Refuse whatever is not on the list; `keras2`: the config is one of Keras 2, which is rebuilt.

    Raises ModelError for a Lambda layer, a custom class, a function of Keras that no model needs, nesting
    that no model has, or what Keras would compute of the file's values while it reads.
    """
    for entry in entries(config, file):
        unread = keras2 and _is_unread_initializer(entry)
        if not unread and not is_allowed(entry, keras2=keras2):
            raise ModelError(f"{file} {_refusal(entry)}")
    for entry in entries(config, file):
        if entry.computes_alone or not entry.is_array_of_numbers:
            raise ModelError(f"{file} {_at_once(entry)}")
        if (pattern := _pattern_in(entry)) is not None:
            raise ModelError(
                f"{file} has dtype policies for layers by the pattern {pattern[:80]!r}, and matching one can "
                "take for ever: name the layers, and save it again"
            )
    if (calls := called_layers(config)) > MOST_PARTS:
        raise ModelError(
            f"{file} has models in models that call each other so often that it comes to {calls:.3g} layers, "
            f"and no file holds {MOST_PARTS:,}: it is damaged or hostile; save it again"
        )


def called_layers(config: Any) -> int:
    """How many calls of layers, and parts of theirs, a config comes to that is no deeper than `entries` lets
    through: a model that is called twice, in one that is called twice, calls its layers four times each."""
    if isinstance(config, list):
        return sum(map(called_layers, config))
    if not isinstance(config, dict):
        return 0
    inside = sum(called_layers(value) for key, value in config.items() if key != "inbound_nodes")
    nodes = config.get("inbound_nodes")
    often = max(1, len(nodes)) if isinstance(nodes, list) else 1
    return often * (1 + inside) if "class_name" in config else inside


def _pattern_in(entry: AllowedName) -> str | None:
    """A regular expression among the names of layers in a DTypePolicyMap, which Keras matches by `re`."""
    if entry.class_name != "DTypePolicyMap":
        return None
    config = entry.serialised.get("config")
    policies = config.get("policy_map") if isinstance(config, dict) else None
    names = policies if isinstance(policies, dict) else ()
    return next((name for name in names if _PLAIN_PATH.fullmatch(name) is None), None)


def entries(config: Any, file: str) -> Iterator[AllowedName]:
    """Every serialised object inside `config`, but for how the whole was compiled, which is never read."""
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key != "compile_config"}
    stack = [(config, "", False, 0)]
    while stack:
        item, key, compiled, depth = stack.pop()
        if depth > _MAX_DEPTH:
            raise ModelError(
                f"{file} is nested deeper than any real model: it is damaged or hostile; save it again"
            )
        if isinstance(item, dict):
            if "class_name" in item:
                yield AllowedName(serialised=item, key=key, compiled=compiled)
            stack += [(v, str(k), compiled or k == "compile_config", depth + 1) for k, v in item.items()]
        elif isinstance(item, list):
            stack += [(v, "", compiled, depth + 1) for v in item]


def is_allowed(entry: AllowedName, *, keras2: bool) -> bool:
    """Whether what `entry` names stands on the list, as it is spelled."""
    name, module = entry.class_name, entry.module
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if name in _PLAIN:
        return True
    if name == "function":
        name = entry.serialised.get("config")
        return _is_registered_as(entry, name) and (module, name) in _functions(entry, keras2)
    if not _is_registered_as(entry, name):
        return False
    if module is None:  # Keras looks only among its own classes, and `_held` only among these
        return name in (_allowed.UNNAMED | _allowed.TF_CALLS if keras2 else _allowed.UNNAMED)
    return (module, name) in _classes(entry, keras2)


def _is_unread_initializer(entry: AllowedName) -> bool:
    """Whether it is an initializer of Keras 2 that names no module: it is never made, because the arrays
    are set, and people's own are common there."""
    return (
        entry.key.endswith("_initializer")
        and "module" not in entry.serialised
        and isinstance(entry.class_name, str)
        and entry.class_name not in (*_LAMBDAS, *_FOREIGN, "function")
    )


def _classes(entry: AllowedName, keras2: bool) -> frozenset[_allowed.Pair]:
    listed = _allowed.KERAS2_CLASSES if keras2 else _allowed.CLASSES
    return listed | _allowed_compiled.COMPILED_CLASSES if entry.compiled else listed


def _functions(entry: AllowedName, keras2: bool) -> frozenset[_allowed.Pair]:
    listed = _allowed.KERAS2_FUNCTIONS if keras2 else _allowed.FUNCTIONS
    return listed | _allowed_compiled.COMPILED_FUNCTIONS if entry.compiled else listed


def _is_registered_as(entry: AllowedName, name: Any) -> bool:
    """A name in Keras' register takes precedence over the module, so that it may say nothing else."""
    return isinstance(name, str) and entry.serialised.get("registered_name") in (None, name, entry.class_name)


def _holds_tensor(node: Any) -> bool:
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("class_name") == "__keras_tensor__":
                return True
            stack += item.values()
        elif isinstance(item, list | tuple):  # before it was JSON
            stack += item
    return False


def _at_once(entry: AllowedName) -> str:
    """As `_refusal`, of what Keras computes while it reads."""
    if entry.class_name in _ARRAYS:
        config = str(entry.serialised.get("config"))[-40:]
        return f"holds an array that is not of numbers ({config!r}): save the model again"
    return (
        f"calls {str(entry.class_name)[:80]!r} on no tensor, which no model does that Keras saves: it is "
        "damaged or hostile; save it again"
    )


def _refusal(entry: AllowedName) -> str:
    """What is wrong and how to fix it, to follow the name of the file."""
    name = str(entry.class_name)
    if name in _LAMBDAS:
        return (
            f"has a Lambda layer{_called(entry)}, which is code in a model file and is never run: "
            "replace it with a built-in layer (Rescaling for scaling), or give package.module:factory"
        )
    if name in _FOREIGN:
        return (
            f"has a {name}{_called(entry)}, which is code of another kind: "
            "give package.module:factory, a function of yours that returns the loaded model"
        )
    if name in _allowed.TF_CALLS:
        return (
            f"calls a TensorFlow function as a layer{_called(entry)}, which Keras 3 cannot do: "
            "use a built-in layer (Rescaling for scaling), or save it as a SavedModel and pass --trust"
        )
    if str(entry.module).split(".")[0] in ("keras", "tf_keras"):
        function = entry.serialised.get("config") if name == "function" else name
        return (
            f"has {f'{entry.module}.{function}'[:80]!r}, which is not among what a model file may "
            "name: build the model without it, or give package.module:factory, a function of yours that "
            "returns the loaded model"
        )
    if entry.module is None and name in _allowed.OPERATIONS:
        return (
            f"calls the function {name} of keras.ops{_called(entry)}, which Keras itself does not read from "
            "an .h5 file: save the model as .keras"
        )
    named = entry.serialised.get("config") if name == "function" else name
    named = entry.serialised.get("registered_name") or named
    return (
        f"has the custom class {str(named)[:80]!r}, which only your code "
        "defines: give package.module:factory, a function of yours that returns the loaded model"
    )


def _called(entry: AllowedName) -> str:
    config = entry.serialised.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f" ({name})" if isinstance(name, str) else ""
