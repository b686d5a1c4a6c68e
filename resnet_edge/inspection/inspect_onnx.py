"""Runs in a worker. What stands in an .onnx file.

A layer between DequantizeLinear and QuantizeLinear is counted in the integers around it, because ONNX Runtime
fuses these pairs (onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import onnx
from onnx import helper

from resnet_edge.compatibility.onnx import minimums
from resnet_edge.core.results.inspection import Counts, Inspection, counted, joined, turned
from resnet_edge.formats.onnx import describe
from resnet_edge.graph.external_data import external_files, stored_bytes
from resnet_edge.graph.macs import dequantized, onnx_constants, onnx_layers, weights_at
from resnet_edge.inspection.app_warnings import of_inputs

PAIR = frozenset({"DequantizeLinear", "QuantizeLinear"})
UNKNOWN = "unknown"


def inside(path: Path) -> Inspection:
    """The file without what any file has (size, hash). Raises ArtifactError, and whatever a
    damaged one leads to."""
    inputs, outputs = describe(path)
    model = onnx.load(str(path), load_external_data=False)
    counts, macs = _census(model)
    warnings = of_inputs(inputs, "NNAPI and CoreML take no node of such a graph")
    if others := sorted(external_files(model)):
        warnings.append(f"constants are in other files, which must go along: {', '.join(others)}")
    ops, constants = counted(counts, macs), _constants(model)
    return Inspection(
        file="",
        format="",
        size_bytes=stored_bytes(path, model),
        sha256="",
        made_by=_producers(model),
        inputs=inputs,
        outputs=outputs,
        ops=ops,
        parameter_bytes=constants,
        metadata=None,
        warnings=tuple(warnings),
        minimums=minimums(model),
    )


class _Values:
    """The dtype of every value, and what makes and reads it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = onnx.shape_inference.infer_shapes(model).graph
        entries = [*graph.value_info, *graph.input, *graph.output]
        self._types = {entry.name: entry.type.tensor_type.elem_type for entry in entries}
        self._types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
        self.constants = {name for name, _ in onnx_constants(graph)}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def dtype(self, name: str) -> str:
        kind = self._types.get(name, 0)
        return str(helper.tensor_dtype_to_np_dtype(kind)) if kind else UNKNOWN

    def before(self, name: str) -> str:
        """The dtype of what a DequantizeLinear makes the value from, or its own."""
        maker = dequantized(name, self._makers)
        return self.dtype(maker.input[0] if maker is not None else name)

    def after(self, name: str) -> str:
        """The dtype of what every reader, a QuantizeLinear, makes of the value, or its own."""
        readers = self._readers.get(name, [])
        quantized = readers and all(node.op_type == "QuantizeLinear" for node in readers)
        return self.dtype(readers[0].output[0] if quantized else name)


def _census(model: onnx.ModelProto) -> tuple[Counts, Counts]:
    values = _Values(model)
    layers = {node.output[0]: (macs, integer) for node, macs, integer in onnx_layers(model)}
    counts: Counts = Counter()
    work: Counts = Counter()
    for node in model.graph.node:
        macs, integer = layers.get(node.output[0], (0, None))
        key = node.op_type, _precision(values, node, integer)
        counts[key] += 1
        work[key] += macs
    return counts, work


def _precision(values: _Values, node: onnx.NodeProto, integer: bool | None) -> str:
    given = [name for name in node.input if name]
    if integer is not None:
        look = values.before if integer else values.dtype
        return joined(look(given[0]), look(given[weights_at(node.op_type)]))
    computed = [name for name in given if name not in values.constants] or given
    out = node.output[0]
    if not computed:  # a Constant
        return values.dtype(out)
    if node.op_type not in PAIR and values.before(computed[0]) == values.after(out):
        return values.after(out)
    return turned(values.dtype(computed[0]), values.dtype(out))


def _constants(model: onnx.ModelProto) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for _, tensor in onnx_constants(model.graph):
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        sizes[str(kind)] += math.prod(tensor.dims) * kind.itemsize
    return dict(sizes.most_common())


def _producers(model: onnx.ModelProto) -> tuple[str, ...]:
    producers = []
    if model.producer_name:
        producers.append(f"{model.producer_name} {model.producer_version}".strip())
    opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
    producers.append(f"ONNX IR {model.ir_version}, operators of {opsets}")
    producers += [f"{entry.key}: {entry.value}" for entry in model.metadata_props]
    return tuple(producers)
