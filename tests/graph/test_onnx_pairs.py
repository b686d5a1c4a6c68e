"""Which files can overflow is read from their weights, as ONNX Runtime will add them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.formats.onnx import optimized, pairs
from resnet_edge.graph.onnx_pairs import can_overflow, layer_pairs
from tests.backends import tiny
from tests.diagnosis.overflow.test_emulation import NETWORKS, written


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_are_those_of_the_graph_that_onnx_runtime_makes(name: str, kind: type, tmp_path: Path) -> None:
    path = written(tmp_path, name, activations=kind)
    layers = pairs(path)
    assert layers is not None
    narrow = [each for each in Emulation(optimized(path)).layers if each.layer.narrow]
    assert [(each.layer, each.at_risk) for each in layers] == [(n.layer.name, n.at_risk) for n in narrow]
    assert [each.pairs for each in layers] == [sum(risk.pairs for risk in n.risks) for n in narrow]
    assert [each.worst for each in layers] == pytest.approx([max(r.worst for r in n.risks) for n in narrow])
    assert can_overflow(onnx.load(path))


def test_uint8_weights_and_float_files_have_none(tmp_path: Path) -> None:
    assert pairs(written(tmp_path, "plain", np.uint8, np.uint8)) == ()
    assert pairs(tiny.write_all(tmp_path) / "fixed.onnx") == ()


def matrix(kind: str, weights: np.ndarray, **attributes: Any) -> onnx.ModelProto:
    """One operation on a constant matrix, as it would stand in a quantized file."""
    given = {"QLinearMatMul": ["a", "s", "z", "w", "s", "z", "s", "z"], "MatMulInteger": ["a", "w"]}
    nodes = [helper.make_node(kind, given.get(kind, ["a", "real"]), ["out"], name="last", **attributes)]
    if kind not in given:
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["a"]),
            helper.make_node("DequantizeLinear", ["w", "s", "wz"], ["real"]),
            *nodes,
        ]
    constants = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.array(1, np.float32), "s")]
    constants += [numpy_helper.from_array(np.array(0, kind), n) for n, kind in (("z", "u1"), ("wz", "i1"))]
    return helper.make_model(helper.make_graph(nodes, "g", [], [], constants))


NEIGHBOURS = np.array([[100, 1], [100, 1], [1, 100]], np.int8)
"""Down the columns 100 and 100 are added; along the rows no two are that large."""


@pytest.mark.parametrize("kind", ["Gemm", "MatMul", "QLinearMatMul", "MatMulInteger"])
def test_matrices_are_added_along_their_inputs(kind: str) -> None:
    model = matrix(kind, NEIGHBOURS)
    layers = layer_pairs(model)
    assert layers is not None
    assert [(one.layer, one.pairs, one.at_risk) for one in layers] == [("last", 4, 1)]
    assert not can_overflow(matrix(kind, np.ascontiguousarray(NEIGHBOURS.T)))


def test_a_transposed_matrix_and_a_stack_of_them() -> None:
    assert not can_overflow(matrix("Gemm", NEIGHBOURS, transB=1))
    assert can_overflow(matrix("MatMul", np.stack([NEIGHBOURS % 50, NEIGHBOURS])))


def test_what_is_not_understood_may_overflow() -> None:
    safe = np.zeros((4, 4), np.int8)
    assert not can_overflow(matrix("Gemm", safe))
    computed = matrix("Gemm", safe)
    computed.graph.node.insert(0, helper.make_node("Identity", ["w"], ["v"]))
    computed.graph.node[3].input[0] = "v"
    assert layer_pairs(computed) is None
    assert can_overflow(computed)
    quantized = matrix("Gemm", safe)
    quantized.graph.initializer.append(numpy_helper.from_array(np.zeros((4, 4), np.float32), "f"))
    quantized.graph.node.append(helper.make_node("QuantizeLinear", ["f", "s", "wz"], ["fq"]))
    assert can_overflow(quantized)
    nested = matrix("Gemm", safe)
    entry = helper.make_tensor_value_info("c", TensorProto.BOOL, ())
    inside = helper.make_graph([], "inside", [], [])
    nested.graph.input.append(entry)
    nested.graph.node.append(helper.make_node("If", ["c"], [], then_branch=inside, else_branch=inside))
    assert can_overflow(nested)


def test_a_constant_that_is_added_adds_no_products() -> None:
    model = matrix("Add", np.full((2, 2), 127, np.int8))
    assert layer_pairs(model) == ()
