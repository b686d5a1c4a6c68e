"""The other road to ONNX, for float graphs with an operation that is not lowered here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import onnx

from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.formats._onnx.lowering import IR_VERSION, OPSET
from resnet_edge.graph.model import Graph, Tensor


def write(portable: Path, graph: Graph, out: Path) -> str:
    """Convert with tf2onnx and give input and output the names of the portable graph.

    Raises MissingDependency or ArtifactError. Its passes copy every weight many times
    over (half a minute and gigabytes for a ResNet-50), hence not the first choice.
    """
    try:
        import tf2onnx
    except ModuleNotFoundError as error:
        raise MissingDependency(
            "this model needs tf2onnx to become ONNX: pip install 'resnet-edge[tf2onnx]'"
        ) from error
    try:
        model, _ = tf2onnx.convert.from_tflite(str(portable), opset=OPSET)
        for borders, indices in ((model.graph.input, graph.inputs), (model.graph.output, graph.outputs)):
            for border, index in zip(borders, indices, strict=True):
                _rename(model, border, graph.tensors[index])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)  # an operation that tf2onnx does not know is left as it was
    except Exception as error:  # tf2onnx raises whatever its handlers meet
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"no ONNX of this model: tf2onnx cannot convert it either ({reason}): ask for --formats tflite"
        ) from error
    onnx.save(model, out)
    return f"tf2onnx {version('tf2onnx')} (from the TFLite graph)"


def _rename(model: onnx.ModelProto, border: onnx.ValueInfoProto, tensor: Tensor) -> None:
    old, name = border.name, tensor.name
    border.name = name
    if tensor.shape[0] is None:
        border.type.tensor_type.shape.dim[0].dim_param = "N"
    for node in model.graph.node:
        for names in (node.input, node.output):
            for position, found in enumerate(names):
                if found == old:
                    names[position] = name
