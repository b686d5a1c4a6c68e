"""Which files end in a sigmoid; tests/graph/quantization/test_quantize.py asks it of TFLite files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from resnet_edge.graph.last_operation import ends_in_sigmoid


def written(folder: Path, *ops: str, damaged: bool = False) -> Path:
    """A chain of operations; `damaged`: the first of them reads the last."""
    names = ["image", *(f"x{number}" for number in range(1, len(ops))), "scores"]
    nodes = [helper.make_node(op, [a], [b]) for op, a, b in zip(ops, names[:-1], names[1:], strict=True)]
    if damaged:
        nodes[0].input[0] = "scores"
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in (names[0], names[-1]))
    entry, end = ends
    onnx.save(helper.make_model(helper.make_graph(nodes, "net", [entry], [end])), folder / "net.onnx")
    return folder / "net.onnx"


@pytest.mark.parametrize(
    ("ops", "sigmoid"),
    [
        (("Relu", "Sigmoid"), True),
        (("Sigmoid", "QuantizeLinear", "DequantizeLinear", "Reshape", "Cast"), True),
        (("QLinearSigmoid", "DequantizeLinear"), True),
        (("Sigmoid", "Relu"), False),
        (("Softmax",), False),
        (("Identity", "Reshape"), False),  # nothing computes
    ],
)
def test_behind_it_only_types_and_shapes_change(ops: tuple[str, ...], sigmoid: bool, tmp_path: Path) -> None:
    assert ends_in_sigmoid(written(tmp_path, *ops)) is sigmoid


def test_a_graph_that_goes_round_ends(tmp_path: Path) -> None:
    assert not ends_in_sigmoid(written(tmp_path, "Reshape", "Identity", damaged=True))


def test_an_ort_file_does_not_tell(tmp_path: Path) -> None:
    assert not ends_in_sigmoid(tmp_path / "never_opened.ort")
