"""The ends of a file as the file itself declares them, where the runtime that opens it does not tell them:
names, shapes and dtypes, and the scale and zero point of integers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge.backends._border import the_classifier
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line

Ends = tuple[Quantization | None, Quantization | None]


def with_quantization(path: Path, image: TensorSpec, scores: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    """The specs with the scale and zero point that stand in the file, next to integer ends.

    None where there is none, where the package that reads the format is not installed, and in an .ort
    file, which is no protobuf and whose Q/DQ may be fused: a session of the .onnx tells them.
    """
    if image.dtype == scores.dtype == "float32" or path.suffix == ".ort":
        return image, scores
    try:
        behind, before = _of_tflite(path) if path.suffix == ".tflite" else _of_onnx(path, image, scores)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("resnet_edge"):
            raise
        return image, scores
    return replace(image, quantization=behind), replace(scores, quantization=before)


def declared_in_onnx(path: Path) -> tuple[TensorSpec, TensorSpec]:
    """The input and the output of an .onnx file, without scale and zero point. Raises ArtifactError."""
    import onnx

    from resnet_edge.graph.onnx_io import ends_of

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
        inputs, outputs = ends_of(graph)
    except Exception as error:  # protobuf's DecodeError; KeyError of a type that is no tensor; damage
        raise ArtifactError(
            f"{path} cannot be opened as ONNX ({first_line(error)}): copy or convert it again"
        ) from error
    return the_classifier(path, inputs, outputs)


def _of_onnx(path: Path, image: TensorSpec, scores: TensorSpec) -> Ends:
    import onnx

    from resnet_edge.graph.onnx_io import grid_of_input, grid_of_output

    graph = onnx.load(str(path), load_external_data=False).graph
    return grid_of_input(graph, image.name), grid_of_output(graph, scores.name)


def _of_tflite(path: Path) -> Ends:
    from resnet_edge.graph.model import read_graph

    graph = read_graph(path)
    return graph.tensors[graph.inputs[0]].quantization, graph.tensors[graph.outputs[0]].quantization
