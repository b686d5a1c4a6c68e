"""Runs in a worker. A Keras 2 model, rebuilt in Keras 3 from its config and its arrays.

Neither loader will do: Keras 3's own stops at arguments that are gone (DepthwiseConv2D
`groups`, RandomFlip `rng_type`, a list as BatchNormalization `axis`; keras-team/keras#19089,
#20081), and tf_keras' imports any module that a file names. Remove this when Keras reads
the files that tests/models/test_keras2.py makes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
from keras import layers

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models._allowed import LAYERS, MODELS, TF_CALLS
from resnet_edge.models._held import held
from resnet_edge.models._keras2_calls import call
from resnet_edge.models._safe_names import named_parts

_GONE = {
    "batch_input_shape",
    "ragged",
    "rng_type",
    "fused",
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
    "virtual_batch_size",
    "adjustment",
}
"""Arguments that Keras 3 does not have and that inference does not need."""


_SLASH = "\ue000"
"""In place of the slash in a name (DenseNet: conv1/bn) while Keras 3, which takes none, builds the layer."""


def rebuild(config: dict[str, Any], file: str) -> keras.Model:
    """The model of a Keras 2 `model_config`, with fresh weights. Raises ModelError."""
    try:
        with held():
            model = _model(config["class_name"], config["config"], file)
        for part in named_parts(model):  # the arrays are looked up by it; `_opened` makes it safe for scopes
            part.name = part.name.replace(_SLASH, "/")
        return model
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{file}: Keras 3 cannot rebuild it ({first_line(error)}): save it as a SavedModel"
        ) from error


def _model(kind: str, config: dict[str, Any], file: str) -> keras.Model:
    if kind == "Sequential":
        return _sequential(config, file)
    if kind not in MODELS:
        raise ModelError(
            f"{file} holds a model of the class {kind!r}: give package.module:factory that builds it"
        )
    return _Graph(config, file).model()


def _sequential(config: dict[str, Any], file: str) -> keras.Model:
    entries = config["layers"] if isinstance(config, dict) else config
    first = entries[0]["config"]
    parts = [_layer(entry, file) for entry in entries]
    if not isinstance(parts[0], layers.InputLayer | keras.Model):
        shape = first.get("batch_input_shape")
        if shape is None:
            raise ModelError(
                f"{file} was saved before its input was known: call the model once, then save it"
            )
        parts.insert(0, layers.InputLayer(batch_shape=tuple(shape)))
    name = config.get("name") if isinstance(config, dict) else None
    return keras.Sequential(parts, name=_without_slash(name))


def _layer(entry: dict[str, Any], file: str) -> Any:
    """One layer (or nested model), not yet called."""
    kind, config = entry["class_name"], entry["config"]
    if kind in MODELS:
        return _model(kind, config, file)
    if kind == "InputLayer":
        return layers.InputLayer(
            batch_shape=tuple(config["batch_input_shape"]),
            dtype=config["dtype"],
            name=_without_slash(config["name"]),
        )
    if kind not in LAYERS:
        raise ModelError(
            f"{file} has a layer of the class {kind!r}, which Keras 3 does not have: save it as a "
            "SavedModel and pass --trust"
        )
    layer_class: Any = getattr(layers, kind)
    try:
        return layer_class.from_config(_translated(config))
    except Exception as error:  # Keras raises whatever its constructors raise
        name = config.get("name", kind)
        raise ModelError(
            f"{file}: Keras 3 cannot build its layer {name} ({kind}, {first_line(error)}): copy or save it "
            "again, or give package.module:factory that builds it"
        ) from error


def _translated(config: dict[str, Any]) -> dict[str, Any]:
    """A layer's config as Keras 3 wants it. Initializers go: the arrays are about to be set."""
    kept = {k: v for k, v in config.items() if k not in _GONE and not k.endswith("_initializer")}
    # Keras 2 wrote arguments of Conv2D for its depthwise and separable kin too, at their defaults
    kept = {k: v for k, v in kept.items() if v is not None or not k.endswith(("_regularizer", "_constraint"))}
    if kept.get("groups") == 1:
        del kept["groups"]
    axis = kept.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        kept["axis"] = axis[0]
    if "name" in kept:
        kept["name"] = _without_slash(kept["name"])
    if isinstance(kept.get("dtype"), dict):
        kept["dtype"] = kept["dtype"]["config"]["name"]
    if isinstance(inner := kept.get("layer"), dict) and isinstance(inner.get("config"), dict):
        kept["layer"] = {**inner, "config": _translated(inner["config"])}  # that of a wrapper
    return kept


def _without_slash(name: str | None) -> str | None:
    return name if name is None else name.replace("/", _SLASH)


class _Graph:
    """A functional model under construction; tensors by (layer, call, output) as Keras 2 counts."""

    def __init__(self, config: dict[str, Any], file: str) -> None:
        self._config, self._file = config, file
        self._calls: dict[str, int] = defaultdict(int)
        self._tensors: dict[tuple[str, int, int], Any] = {}

    def model(self) -> keras.Model:
        pending = [(entry, node) for entry in self._config["layers"] for node in self._nodes(entry)]
        operations = {entry["name"]: self._operation(entry) for entry in self._config["layers"]}
        while pending:
            waiting = [
                (e, node) for e, node in pending if not self._called(operations[e["name"]], e["name"], node)
            ]
            if len(waiting) == len(pending):
                raise ModelError(f"{self._file}: its graph has a gap or a loop: copy or save it again")
            pending = waiting
        inputs = [self._tensors[tuple(key)] for key in _references(self._config["input_layers"])]
        outputs = [self._tensors[tuple(key)] for key in _references(self._config["output_layers"])]
        return keras.Model(_only(inputs), _only(outputs), name=_without_slash(self._config["name"]))

    def _nodes(self, entry: dict[str, Any]) -> list[Any]:
        nodes: list[Any] = entry["inbound_nodes"]
        return nodes

    def _operation(self, entry: dict[str, Any]) -> Any:
        name = entry["name"]
        if entry["class_name"] in TF_CALLS:
            return entry
        layer = _layer(entry, self._file)
        if isinstance(layer, layers.InputLayer):
            self._tensors[name, 0, 0] = layer.output
        elif isinstance(layer, keras.Model):
            self._calls[name] = 1  # Keras 2 counts the making of a nested model as its first call
        return layer

    def _called(self, layer: Any, name: str, node: list[Any]) -> bool:
        """Call `layer` as `node` says; False where an input does not exist yet.

        The calls of one layer keep their order: a later one waits for an earlier one because
        it stands behind it in every round and the references count calls.
        """
        references = [node] if node and isinstance(node[0], str) else node
        keys = [tuple(reference[:3]) for reference in references]
        arguments = references[0][3] if len(references[0]) > 3 else {}
        needed = keys + [tuple(value) for value in arguments.values() if _is_reference(value)]
        if not all(key in self._tensors for key in needed):
            return False
        arguments = {k: self._tensors[tuple(v)] if _is_reference(v) else v for k, v in arguments.items()}
        inputs = _only([self._tensors[key] for key in keys])
        if isinstance(layer, dict):
            outputs = call(layer, inputs, arguments, self._file)
        else:
            outputs = layer(inputs, **{k: v for k, v in arguments.items() if k == "training"})
        index = self._calls[name]
        self._calls[name] += 1
        for position, tensor in enumerate(keras.tree.flatten(outputs)):
            self._tensors[name, index, position] = tensor
        return True


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _references(value: list[Any]) -> list[Any]:
    return [value] if _is_reference(value) else value


def _only(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
