"""A float graph whose weights lie on the int8 grids that they are to be stored on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.grids import layer_of
from resnet_edge.graph.quantization.int8_rows import Int8Rows
from resnet_edge.graph.quantization.pair_bound import LARGEST_WEIGHT
from resnet_edge.graph.quantization.weighted import CHANNEL_AXIS, Constants, Layer, layers, write_constants


def write_int8_rows(
    source: Path,
    out: Path,
    *,
    paired: bool,
    but: Collection[str] = (),
    dense_scales: DenseScales = "per-tensor",
) -> dict[str, dict[str, Any]]:
    """Write the float .tflite `source` to `out` with its weights on their grids, if any layer of it needs
    that: if litert-quantizer would not choose the same (int8_rows.py) by itself. The ranges, by kernel, from
    which it makes these grids; nothing, and no file, where there is no such layer.

    `paired`: no pair of neighbours can overflow. `but`: layers that stay in float, by their outputs.
    """
    graph = read_graph(source)
    rounded = [
        (layer, layer.integers(paired=paired and layer.paired))
        for layer in layers(graph, dense_scales)
        if layer_of(graph, graph.nodes[layer.index]) not in but
    ]
    changed = [(layer, rows) for layer, rows in rounded if not rows.plain.all()]
    if not changed:
        return {}
    constants: Constants = {
        (layer.index, 1): layer.kernel_of(_values(layer, rows)) for layer, rows in changed
    }
    write_constants(source, constants, out)
    written = read_graph(out)
    return {
        written.tensors[written.nodes[layer.index].inputs[1]].name: _range(layer, rows)
        for layer, rows in changed
    }


def _values(layer: Layer, rows: Int8Rows) -> Any:
    return np.where(rows.plain[:, None], layer.rows, rows.values)


def _range(layer: Layer, rows: Int8Rows) -> dict[str, Any]:
    """From it litert-quantizer takes the steps: a 127th of the largest."""
    shape = [1] * layer.kernel.ndim
    if not layer.one_step:
        shape[CHANNEL_AXIS[layer.op]] = len(rows.steps)
    most = np.abs(layer.rows).max(axis=1)
    most = np.where(rows.plain, most, rows.steps * np.float32(LARGEST_WEIGHT)).astype(np.float32)
    most = most.max(keepdims=True) if layer.one_step else most
    return {"min": -most.reshape(shape), "max": most.reshape(shape)}
