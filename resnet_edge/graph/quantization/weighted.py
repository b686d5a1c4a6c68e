"""The layers of a portable graph that have weights, and new constants for them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import ABSENT, Graph, Node, load_model, save_model
from resnet_edge.graph.quantization.int8_rows import Int8Rows, int8_rows

Constants = dict[tuple[int, int], NDArray[np.float32]]
"""New values by (index of the node, position among its inputs)."""

CHANNEL_AXIS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}
"""Where the output channels of a kernel stand: (O, H, W, I), (O, I) and (1, H, W, O)."""
DENSE = "FULLY_CONNECTED"
"""The operation whose outputs share one step unless asked otherwise (core.scheme.DenseScales)."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution, depthwise convolution or dense layer: node number `index`, the names of
    the tensors it reads and writes, its `kernel` float32 as TFLite stores it, its bias (O,). `grouped`: each
    output reads a part of the channels only; `paired`: its products may be added in pairs (pair_bound.py);
    `one_step`: all outputs have one int8 step."""

    index: int
    op: str
    source: str
    output: str
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    options: dict[str, Any]
    grouped: bool = False
    paired: bool = True
    one_step: bool = False

    @property
    def rows(self) -> NDArray[np.float32]:
        """The kernel as (O, taps): one row for each output channel."""
        first = np.moveaxis(self.kernel, CHANNEL_AXIS[self.op], 0)
        return np.ascontiguousarray(first).reshape(len(first), -1)

    def kernel_of(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """What `rows` is as a kernel."""
        axis = CHANNEL_AXIS[self.op]
        shape = np.moveaxis(self.kernel, axis, 0).shape
        return np.ascontiguousarray(np.moveaxis(rows.astype(np.float32).reshape(shape), 0, axis))

    @property
    def steps(self) -> NDArray[np.float32]:
        """The int8 step of each output channel (O,), as quantize.py has it; 0 for zero rows."""
        return self.integers(paired=self.paired).steps

    def rounded(self) -> NDArray[np.float32]:
        """The rows as int8 stores them, each weight rounded on its own."""
        return self.integers(paired=self.paired).values

    def integers(self, *, paired: bool) -> Int8Rows:
        """The integers of the rows; `paired`: where the scheme asks that no pair overflows."""
        return int8_rows(self.rows, paired=paired, alike=self.one_step)


def adds_pairs(graph: Graph, node: Node) -> bool:
    """Whether a processor may add products of the operation's weights in pairs (pair_bound.py): not where a
    group has one channel in and one out, nor in a transposed convolution."""
    if node.op not in CHANNEL_AXIS or node.op == DENSE:
        return node.op == DENSE
    kernel = graph.tensors[node.inputs[1]].shape
    channels = graph.tensors[node.inputs[0]].shape[-1]
    each = 1 if node.op == "DEPTHWISE_CONV_2D" else kernel[-1]
    return not (each == 1 and channels == kernel[CHANNEL_AXIS[node.op]])


def one_step(op: str, dense_scales: DenseScales) -> bool:
    """Whether all outputs of the operation `op` have one int8 step."""
    return op == DENSE and dense_scales == "per-tensor"


def layers(graph: Graph, dense_scales: DenseScales = "per-tensor") -> list[Layer]:
    """The layers of a float graph, in execution order, to be stored with `dense_scales`."""
    weighted = []
    for index, node in enumerate(graph.nodes):
        if node.op not in CHANNEL_AXIS:
            continue
        source, kernel = (graph.tensors[i] for i in node.inputs[:2])
        bias = (
            graph.tensors[node.inputs[2]].data if len(node.inputs) > 2 and node.inputs[2] != ABSENT else None
        )
        if kernel.data is not None and kernel.dtype == "float32":
            output = graph.tensors[node.outputs[0]].name
            grouped = node.op == "CONV_2D" and source.shape[-1] != kernel.shape[-1]
            paired = adds_pairs(graph, node)
            weighted.append(
                Layer(
                    index=index,
                    op=node.op,
                    source=source.name,
                    output=output,
                    kernel=kernel.data,
                    bias=bias,
                    options=node.options,
                    grouped=grouped,
                    paired=paired,
                    one_step=one_step(node.op, dense_scales),
                )
            )
    return weighted


def with_constants(graph: Graph, constants: Mapping[tuple[int, int], NDArray[np.float32]]) -> Graph:
    """`graph` with other constants, shapes unchanged; a constant that other nodes share is not
    changed for them. New tensors go to the end, so the indices of the others stay."""
    tensors, nodes = list(graph.tensors), list(graph.nodes)
    readers = Counter(i for node in nodes for i in node.inputs)
    for (index, position), values in constants.items():
        node = nodes[index]
        old = node.inputs[position]
        changed = replace(tensors[old], data=values)
        if readers[old] == 1:
            tensors[old] = changed
            continue
        readers[old] -= 1
        tensors.append(changed)
        inputs = (*node.inputs[:position], len(tensors) - 1, *node.inputs[position + 1 :])
        nodes[index] = replace(node, inputs=inputs)
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))


def write_constants(
    source: Path, constants: Mapping[tuple[int, int], NDArray[np.float32]], out: Path
) -> None:
    """Write the float .tflite `source` with other constants to `out`, as `with_constants` does."""
    model = load_model(source)
    subgraph = model.subgraphs[0]
    readers = Counter(int(i) for operator in subgraph.operators for i in operator.inputs)
    for (index, position), values in constants.items():
        operator = subgraph.operators[index]
        old = int(operator.inputs[position])
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        if readers[old] > 1:
            readers[old] -= 1
            tensor = copy.copy(subgraph.tensors[old])
            tensor.name = bytes(tensor.name) + f";{index}".encode()
            subgraph.tensors.append(tensor)
            operator.inputs = [int(i) for i in operator.inputs]
            operator.inputs[position] = old = len(subgraph.tensors) - 1
        subgraph.tensors[old].buffer = len(model.buffers) - 1
    used = {tensor.buffer for tensor in subgraph.tensors} | {entry.buffer for entry in model.metadata or ()}
    for number, buffer in enumerate(model.buffers):
        if number not in used:  # what was replaced would stay in every file made from this one
            buffer.data = None
    save_model(model, out)
