"""Models with other nodes, and nodes in the order in which they can be read."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

from resnet_edge.diagnosis.layers.onnx_nodes import attributes, in_order, with_nodes
from tests.diagnosis.layers.onnx_files import model_of

CHAIN = [
    helper.make_node("Relu", ["image"], ["x"]),
    helper.make_node("Add", ["x", "one"], ["y"]),
    helper.make_node("Mul", ["y", "x"], ["scores"]),
]
ONE = {"one": np.float32(1)}


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_nodes_come_after_what_they_read(order: tuple[int, ...]) -> None:
    model = model_of([CHAIN[i] for i in order], ONE, [1, 2], [1, 2])
    assert [*in_order(model).graph.node] == CHAIN


def test_a_model_that_is_in_order_is_itself() -> None:
    model = model_of(CHAIN, ONE, [1, 2], [1, 2])
    assert in_order(model) is model


def test_a_circle_is_refused() -> None:
    nodes = [helper.make_node("Add", ["image", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    with pytest.raises(ValueError, match="its nodes form a circle"):
        in_order(model_of(nodes, {}, [1, 2], [1, 2]))


def test_other_nodes_leave_the_model_as_it_is() -> None:
    model = model_of(CHAIN, ONE, [1, 2], [1, 2])
    model.graph.value_info.append(helper.make_tensor_value_info("x", 1, [1, 2]))
    other = with_nodes(model, CHAIN[:1], [numpy_helper.from_array(np.array([2], np.float32), "two")])
    assert [node.op_type for node in other.graph.node] == ["Relu"]
    assert [constant.name for constant in other.graph.initializer] == ["one", "two"]
    assert len(other.graph.value_info) == 0
    assert (len(model.graph.node), len(model.graph.initializer), len(model.graph.value_info)) == (3, 1, 1)


def test_attributes_by_name() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 1], group=3, auto_pad="SAME_UPPER")
    assert attributes(node) == {"strides": [2, 1], "group": 3, "auto_pad": b"SAME_UPPER"}
