"""ONNX, written for ONNX Runtime: NCHW inside, QuantizeLinear/DequantizeLinear pairs where quantized.

The portable graph is lowered operation by operation (`_onnx/`), which takes a second where
tf2onnx takes half a minute and several gigabytes for a ResNet-50, and keeps the quantization
of the TFLite artifact to the last bit. A float graph with an operation that has no lowering
goes through tf2onnx instead, and the artifact says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import onnx
from onnx import helper, numpy_helper

from resnet_edge import __version__
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Scheme
from resnet_edge.formats._onnx import through_tf2onnx
from resnet_edge.formats._onnx.builder import NotLowered
from resnet_edge.formats._onnx.lowering import lower, missing
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
    """Lower the portable graph, or hand it to tf2onnx if it is in float.

    Raises ArtifactError where neither can, or where ONNX Runtime, if it is installed, would
    run an int8 file in float.
    """
    graph = read_graph(portable)
    real = "float16" if scheme.activations == "float16" else "float32"
    try:
        if unknown := missing(graph):
            raise NotLowered(f"no lowering of {', '.join(unknown)}")
        model = lower(graph, real, name)
    except NotLowered as reason:
        if scheme.weights != "float32":
            raise ArtifactError(
                f"no {scheme.title} ONNX of this model ({reason}): "
                "ask for --schemes fp32, or for --formats tflite"
            ) from reason
        return f"{through_tf2onnx.write(portable, graph, out)} ({reason})"
    onnx.save(model, out)
    if scheme.activations == "int8" and find_spec("onnxruntime") is not None:
        from resnet_edge.formats._onnx.fusion import require_fused

        require_fused(out)
    return f"resnet-edge {__version__} (lowering of the TFLite graph)"


def describe(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs. Raises ArtifactError."""
    with _readable(path) as model:
        graph = model.graph
        constants = {constant.name: constant for constant in graph.initializer}
        entries = [
            entry for entry in graph.input if entry.name not in constants
        ]  # as files before IR 4 have it
        inputs = tuple(_spec(e, _grid(model, e.name, constants, "DequantizeLinear")) for e in entries)
        outputs = tuple(_spec(e, _grid(model, e.name, constants, "QuantizeLinear")) for e in graph.output)
    return inputs, outputs


def census(path: Path) -> dict[str, int]:
    """How often each operation occurs in the file (before a runtime fuses any). Raises ArtifactError."""
    with _readable(path) as model:
        return dict(sorted(Counter(node.op_type for node in model.graph.node).items()))


@contextmanager
def _readable(path: Path) -> Iterator[onnx.ModelProto]:
    """The model in the file, and whatever goes wrong while it is read as one ArtifactError."""
    try:
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node:  # protobuf takes an empty file for an empty model
            raise ValueError("there is no graph in it")
        yield model
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # protobuf's DecodeError; KeyError of a type that is no tensor; damage
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"{path} is not an ONNX file that resnet-edge can read ({type(error).__name__}: {reason})"
        ) from error


def _spec(info: onnx.ValueInfoProto, quantization: Quantization | None) -> TensorSpec:
    kind = info.type.tensor_type
    sizes = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
    return TensorSpec(info.name, sizes, str(helper.tensor_dtype_to_np_dtype(kind.elem_type)), quantization)


def _grid(
    model: onnx.ModelProto, name: str, constants: Mapping[str, onnx.TensorProto], op: str
) -> Quantization | None:
    """Scale and zero point of an integer input or output: those of the first `op` that the
    border value passes on its way in or out."""
    entering = op == "DequantizeLinear"
    frontier = {name}
    for node in model.graph.node if entering else reversed(model.graph.node):
        near, far = (node.input[:1], node.output) if entering else (node.output, node.input[:1])
        if not frontier.intersection(near):
            continue
        if node.op_type == op:
            return _quantization(*(constants.get(name) for name in node.input[1:3]))
        if node.op_type not in ("Transpose", "Identity", "Reshape"):
            return None
        frontier.update(far)
    return None


def _quantization(
    scale: onnx.TensorProto | None = None, zero_point: onnx.TensorProto | None = None
) -> Quantization | None:
    """None where the scale is computed, or one per channel: neither is a border of ours."""
    if scale is None or numpy_helper.to_array(scale).size != 1:
        return None
    zero = 0 if zero_point is None else int(numpy_helper.to_array(zero_point).item())
    return Quantization((float(numpy_helper.to_array(scale).item()),), (zero,))
