"""Runs in a worker. Of a model with several outputs, the one that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from resnet_edge.core.errors import ModelError, UsageError


def named_outputs(model: Any, outputs: Any) -> dict[str, Any]:
    """What a model of Keras 3 or tf_keras gives, by name: the keys of a dict; else the layers that a
    functional model ends in; else 0, 1, ..."""
    if isinstance(outputs, dict) and not any(
        isinstance(each, dict | list | tuple) for each in outputs.values()
    ):
        return {str(name): each for name, each in outputs.items()}
    flat = keras.tree.flatten(outputs)
    names = getattr(model, "output_names", None) or ()
    if len(names) != len(flat) or len(set(names)) != len(names):
        names = [str(number) for number in range(len(flat))]
    return dict(zip(names, flat, strict=True))


def chosen(names: Sequence[str], wanted: str | None, source: str) -> str:
    """The output to take. Raises ModelError where there are several and the user named none, UsageError where
    none is called that."""
    listed = ", ".join(names)
    if wanted is not None and wanted not in names:
        raise UsageError(f"--output {wanted}: {source} has no output of that name; it has {listed}")
    if wanted is None and len(names) != 1:
        raise ModelError(
            f"{source} has {len(names)} outputs ({listed}), and one is converted: name it with --output NAME"
        )
    return names[0] if wanted is None else wanted


def picked(model: Any, outputs: Any, wanted: str | None, source: str) -> Any:
    """The output to take, of what `model` gave. Raises as `chosen`."""
    by_name = named_outputs(model, outputs)
    return by_name[chosen(tuple(by_name), wanted, source)]


def with_one_output(model: keras.Model, wanted: str | None, source: str) -> keras.Model:
    """`model`; of a functional one with several outputs, what leads to that alone, with the same layers.
    Raises as `chosen`."""
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return model  # it has to be called to know
    if len(outputs) == 1:
        chosen(tuple(named_outputs(model, outputs)), wanted, source)
        return model
    return _cut(model, named_outputs(model, model.output), wanted, source)


def _cut(model: keras.Model, outputs: dict[str, Any], wanted: str | None, source: str) -> keras.Model:
    name = chosen(tuple(outputs), wanted, source)
    return keras.Model(model.input, outputs[name], name=model.name)
