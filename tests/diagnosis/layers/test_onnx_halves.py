"""Graphs in float16 as graphs in float32, beside ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.diagnosis.layers.onnx_halves import without_halves
from tests.diagnosis.layers.onnx_files import given, model_of

RANDOM = np.random.default_rng(5)
KERNEL = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float16)
ONE = numpy_helper.from_array(np.array(1.0, np.float16), "one")
NODES = [
    helper.make_node("Cast", ["image"], ["half"], to=TensorProto.FLOAT16),
    helper.make_node("Conv", ["half", "kernel"], ["sums"], pads=[1, 1, 1, 1]),
    helper.make_node("Constant", [], ["one"], value=ONE),
    helper.make_node("Add", ["sums", "one"], ["more"]),
    helper.make_node("Cast", ["more"], ["scores"], to=TensorProto.FLOAT),
]
MODEL = model_of(NODES, {"kernel": KERNEL}, [1, 3, 6, 6], [1, 4, 6, 6])


def types(model: onnx.ModelProto) -> set[int]:
    return {constant.data_type for constant in model.graph.initializer} | {
        attribute.i for node in model.graph.node for attribute in node.attribute if attribute.name == "to"
    }


def test_constants_stay_as_they_are_stored() -> None:
    before = MODEL.SerializeToString()
    rewritten = without_halves(MODEL)
    assert MODEL.SerializeToString() == before
    assert types(rewritten) == {TensorProto.FLOAT}
    image = RANDOM.normal(size=(1, 3, 6, 6)).astype(np.float32)
    wide = model_of(
        [helper.make_node("Conv", ["image", "kernel"], ["scores"], pads=[1, 1, 1, 1])],
        {"kernel": KERNEL.astype(np.float32)},
        [1, 3, 6, 6],
        [1, 4, 6, 6],
    )
    np.testing.assert_allclose(given(rewritten, image), given(wide, image) + 1, rtol=1e-5, atol=1e-5)


def test_what_is_too_large_for_float16_is_a_number() -> None:
    image = np.full((1, 3, 6, 6), 1e5, np.float32)
    assert np.abs(given(without_halves(MODEL), image)).max() > float(np.finfo(np.float16).max)


def test_inputs_and_inner_graphs_are_widened_too() -> None:
    half = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT16, [2]) for name in ("image", "scores", "a")
    ]
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["a"], value=numpy_helper.from_array(np.ones(2, np.float16), "v"))],
        "branch",
        [],
        [half[2]],
    )
    node = helper.make_node("If", ["yes"], ["scores"], then_branch=branch, else_branch=branch)
    yes = numpy_helper.from_array(np.array(True), "yes")
    graph = helper.make_graph([node], "g", half[:1], half[1:2], [yes])
    rewritten = without_halves(helper.make_model(graph))
    assert "elem_type: 10" not in str(rewritten)
    assert "data_type: 10" not in str(rewritten)


def test_a_file_without_float16_is_not_touched() -> None:
    model = model_of([helper.make_node("Relu", ["image"], ["scores"])], {}, [4, 4], [4, 4])
    assert without_halves(model) is model
