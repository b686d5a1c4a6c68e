"""Operator versions and the release of TensorFlow Lite that they take, into a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.versions.needed import safe_version
from resnet_edge.graph.versions.operation import CUSTOM, builtin_name, operations
from resnet_edge.graph.versions.releases import latest, tensorflow_lite_with

MINIMUM = b"min_runtime_version"
"""The metadata entry in which TensorFlow's converter says it."""
BYTES = 16
"""Of that entry, zeros behind the text (runtime_version.cc)."""


def set_versions(model: Any) -> None:
    """Give every operator's code in a `schema.ModelT` the lowest version that is safe, and the metadata the
    release of TensorFlow Lite that this takes, in place.

    A code that stands for several operators gets the highest of theirs, and one that stands for none 1:
    runtimes look at all of them. Custom operators and those that the schema does not know keep what they
    have.
    """
    versions = dict.fromkeys((index for index, code in enumerate(model.operatorCodes) if _has_rules(code)), 1)
    in_order = iter(operations(model))
    for graph in model.subgraphs:
        for operator in graph.operators:
            operation = next(in_order)
            if operator.opcodeIndex in versions:
                versions[operator.opcodeIndex] = max(versions[operator.opcodeIndex], safe_version(operation))
    for index, version in versions.items():
        model.operatorCodes[index].version = version
    _set_metadata(model)


def _has_rules(code: Any) -> bool:
    return not code.customCode and builtin_name(code) not in ("", CUSTOM)


def _set_metadata(model: Any) -> None:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_least_release(model).encode().ljust(BYTES, b"\0"), np.uint8)
    for entry in model.metadata or ():
        if entry.name in (MINIMUM, MINIMUM.decode()) and entry.buffer < len(model.buffers):
            model.buffers[entry.buffer] = buffer
            return
    entry = schema.MetadataT()
    entry.name, entry.buffer = MINIMUM, len(model.buffers)
    model.buffers = [*model.buffers, buffer]
    model.metadata = [*(model.metadata or ()), entry]


def _least_release(model: Any) -> str:
    """`2.13.0`, as TensorFlow writes it."""
    known = [tensorflow_lite_with(builtin_name(code), code.version) for code in model.operatorCodes]
    releases = [release for release in known if release]
    return f"{latest(releases)}.0" if releases else ""
