"""The other road to ONNX, for float graphs with an operation that is not lowered here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import onnx

from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.formats._onnx.lowering import IR_VERSION, OPSET
from resnet_edge.graph.model import Graph


def write(portable: Path, graph: Graph, out: Path) -> str:
    """Convert with tf2onnx and give input and output the names of the portable graph.

    Raises MissingDependency or ArtifactError. Slow and memory-hungry (pitfalls 3.4), hence
    not the first choice.
    """
    try:
        import tf2onnx
    except ModuleNotFoundError as error:
        raise MissingDependency(
            "this model needs tf2onnx to become ONNX: pip install 'resnet-edge[tf2onnx]'"
        ) from error
    try:
        model, _ = tf2onnx.convert.from_tflite(str(portable), opset=OPSET)
    except Exception as error:  # tf2onnx raises whatever its handlers meet
        raise ArtifactError(f"tf2onnx cannot convert the model: {type(error).__name__}: {error}") from error
    for borders, indices in ((model.graph.input, graph.inputs), (model.graph.output, graph.outputs)):
        for border, index in zip(borders, indices, strict=True):
            _rename(model, border, graph.tensors[index].name)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    onnx.save(model, out)
    return f"tf2onnx {version('tf2onnx')} (from the TFLite graph)"


def _rename(model: onnx.ModelProto, border: onnx.ValueInfoProto, name: str) -> None:
    old, border.name = border.name, name
    for node in model.graph.node:
        for names in (node.input, node.output):
            for position, found in enumerate(names):
                if found == old:
                    names[position] = name
