"""ONNX, written for ONNX Runtime: NCHW inside, QuantizeLinear/DequantizeLinear pairs where quantized.

The portable graph is lowered operation by operation (`_onnx/`), which takes a second where
tf2onnx takes half a minute and several gigabytes for a ResNet-50, and keeps the quantization
of the TFLite artifact to the last bit. A float graph with an operation that has no lowering
goes through tf2onnx instead, and the artifact says so.
"""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from resnet_edge import __version__
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Scheme
from resnet_edge.formats._onnx import through_tf2onnx
from resnet_edge.formats._onnx.lowering import NotLowered, lower, missing
from resnet_edge.graph.model import read_graph

SUFFIX = ".onnx"


def refusal(scheme: Scheme) -> str | None:
    """Schemes that ONNX Runtime has no fast kernel for are not offered."""
    if scheme.activations == "int16":
        return "ONNX Runtime has no convolution with 16-bit activations and 8-bit weights"
    if scheme.weights == "int8" and scheme.activations == "float32":
        return "dynamic quantization of a convolution (ConvInteger) is slower than float in ONNX Runtime"
    return None


def write(portable: Path, scheme: Scheme, name: str, out: Path) -> str:
    """Lower the portable graph, or hand it to tf2onnx. Raises ArtifactError where neither can."""
    graph = read_graph(portable)
    real = "float16" if scheme.activations == "float16" else "float32"
    unknown = missing(graph)
    if unknown:
        if scheme.weights != "float32":
            raise ArtifactError(
                f"no {scheme.title} ONNX for a model with {', '.join(unknown)}: ask for --schemes fp32, "
                "or for --formats tflite"
            )
        return through_tf2onnx.write(portable, graph, out)
    try:
        model = lower(graph, real, name)
    except NotLowered as reason:
        if scheme.weights != "float32":
            raise
        return f"{through_tf2onnx.write(portable, graph, out)} ({reason})"
    onnx.save(model, out)
    return f"resnet-edge {__version__} (lowering of the TFLite graph)"


def describe(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs. Raises ArtifactError."""
    model = _read(path)
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    inputs = tuple(_spec(i, _grid(model, i.name, constants, "DequantizeLinear")) for i in model.graph.input)
    outputs = tuple(_spec(o, _grid(model, o.name, constants, "QuantizeLinear")) for o in model.graph.output)
    return inputs, outputs


def census(path: Path) -> dict[str, int]:
    """How often each operation occurs in the file (before a runtime fuses any). Raises ArtifactError."""
    return dict(Counter(node.op_type for node in _read(path).graph.node))


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises its own DecodeError, onnx several others
        raise ArtifactError(f"{path} is not an ONNX file: {error}") from error


def _spec(info: onnx.ValueInfoProto, quantization: Quantization | None) -> TensorSpec:
    kind = info.type.tensor_type
    sizes = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
    return TensorSpec(info.name, sizes, str(helper.tensor_dtype_to_np_dtype(kind.elem_type)), quantization)


def _grid(model: onnx.ModelProto, name: str, constants: dict[str, Any], op: str) -> Quantization | None:
    """Scale and zero point of an integer input or output: those of the first `op` that the
    border value passes on its way in or out."""
    entering = op == "DequantizeLinear"
    frontier = {name}
    for node in model.graph.node if entering else reversed(model.graph.node):
        near, far = (node.input[:1], node.output) if entering else (node.output, node.input[:1])
        if not frontier.intersection(near):
            continue
        if node.op_type == op:
            return Quantization(
                (float(constants[node.input[1]]),), (int(constants[node.input[2]]),)
            )
        if node.op_type not in ("Transpose", "Identity", "Reshape"):
            return None
        frontier.update(far)
    return None
