"""Runs in a worker. A SavedModel of a mixed policy as one that computes in float32.

Its variables are float32, and its graph casts them to half floats: TensorFlow's converter refuses those
("Could not translate MLIR to FlatBuffer"). Here every half float in its functions is a float32, and the casts
between the two do nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

SHORT = {14: "bfloat16", 19: "float16"}
"""tensorflow/core/framework/types.proto: DT_BFLOAT16 and DT_HALF."""
_FLOAT = 1


def short_types(saved: Any) -> tuple[str, ...]:
    """The half floats that the functions of a SavedModel (the message) compute in."""
    return tuple(sorted({SHORT[kind] for node in _nodes(saved) for kind in _types(node) if kind in SHORT}))


def has_short_variables(saved: Any) -> bool:
    """Whether it has variables that are half floats themselves: there is no float32 to compute in."""
    objects = (each for meta in saved.meta_graphs for each in meta.object_graph_def.nodes)
    return any(each.variable.dtype in SHORT for each in objects)


def write_float32(saved: Any, folder: Path, out: Path) -> None:
    """Write `saved`, which was read from `folder`, into `out` with float32 for half floats; the variables are
    copied."""
    for node in _nodes(saved):
        for attribute in node.attr.values():
            _widen(attribute)
    for meta in saved.meta_graphs:
        _widen_signatures(meta)
    out.mkdir()
    (out / "saved_model.pb").write_bytes(saved.SerializeToString())
    for part in ("variables", "assets"):
        if (folder / part).is_dir():
            shutil.copytree(folder / part, out / part)


def _widen_signatures(meta: Any) -> None:
    """What functions take and give, as they are called inside and from outside."""
    for function in meta.graph_def.library.function:
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = _FLOAT if argument.type in SHORT else argument.type
    for message in (*meta.signature_def.values(), *meta.object_graph_def.nodes):
        _widen_specs(message)
    for concrete in meta.object_graph_def.concrete_functions.values():
        _widen_specs(concrete)


def _nodes(saved: Any) -> Any:
    for meta in saved.meta_graphs:
        yield from meta.graph_def.node
        for function in meta.graph_def.library.function:
            yield from function.node_def


def _types(node: Any) -> Any:
    for attribute in node.attr.values():
        yield attribute.type
        yield from attribute.list.type


def _widen(attribute: Any) -> None:
    import numpy as np
    from tensorflow.python.framework import tensor_util

    if attribute.type in SHORT:
        attribute.type = _FLOAT
    for number, kind in enumerate(attribute.list.type):
        if kind in SHORT:
            attribute.list.type[number] = _FLOAT
    if attribute.HasField("tensor") and attribute.tensor.dtype in SHORT:
        values = np.asarray(tensor_util.MakeNdarray(attribute.tensor)).astype(np.float32)
        attribute.tensor.CopyFrom(tensor_util.make_tensor_proto(values, shape=values.shape))


def _widen_specs(message: Any) -> None:
    """The dtypes of the tensors that a message describes, at any depth."""
    for field, value in message.ListFields():
        if field.name == "dtype" and value in SHORT:
            setattr(message, field.name, _FLOAT)
        elif field.message_type is not None:
            for each in _messages(field, value):
                _widen_specs(each)


def _messages(field: Any, value: Any) -> Any:
    if field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return list(value.values()) if inner.message_type is not None else []
    return list(value) if field.is_repeated else [value]
