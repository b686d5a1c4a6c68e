"""What the last operation of a file is, behind which only types and shapes change."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.graph.model import read_graph

PASSING = frozenset(
    {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "CAST", "SQUEEZE"}
    | {"QuantizeLinear", "DequantizeLinear", "Reshape", "Cast", "Squeeze", "Flatten", "Identity"}
)
SIGMOIDS = frozenset({"LOGISTIC", "Sigmoid", "QLinearSigmoid"})


def ends_in_sigmoid(path: Path) -> bool:
    """Whether the output of a .tflite or .onnx file is that of a sigmoid. False where the file does not tell,
    as an .ort file. Raises ArtifactError."""
    if path.suffix == ".ort":
        return False
    makers = _of_tflite(path) if path.suffix == ".tflite" else _of_onnx(path)
    at: int | str = makers.pop("")[1]
    while at in makers:
        op, source = makers.pop(at)  # a damaged graph may go round
        if op not in PASSING:
            return op in SIGMOIDS
        at = source
    return False


def _of_tflite(path: Path) -> dict[int | str, tuple[str, int | str]]:
    """By tensor, the operation that makes it and what that reads first; "" is the output."""
    graph = read_graph(path)
    makers: dict[int | str, tuple[str, int | str]] = {
        index: (node.op, node.inputs[0]) for node in graph.nodes if node.inputs for index in node.outputs
    }
    return makers | {"": ("", graph.outputs[0])}


def _of_onnx(path: Path) -> dict[int | str, tuple[str, int | str]]:
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    makers: dict[int | str, tuple[str, int | str]] = {
        name: (node.op_type, node.input[0]) for node in graph.node if node.input for name in node.output
    }
    return makers | {"": ("", graph.output[0].name)}
