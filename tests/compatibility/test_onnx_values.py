"""What stands in a graph about its values."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.compatibility.onnx_values import Values


def model(*nodes: onnx.NodeProto, **constants: np.ndarray) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT16, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


CONV = helper.make_node("Conv", ["image", "w"], ["x"], strides=[2, 2])
CAST = helper.make_node("Cast", ["x"], ["scores"], to=TensorProto.FLOAT16)
KERNEL = np.ones((4, 3, 2, 2), np.float32)


def test_sizes_and_types_are_inferred() -> None:
    values = Values(model(CONV, CAST, w=KERNEL))
    assert (values.dtype("x"), values.sizes("x")[1:]) == ("float32", (4, 4, 4))
    assert (values.dtype("scores"), values.dtype("w"), values.dtype("elsewhere")) == (
        "float16",
        "float32",
        "",
    )
    assert values.sizes("image") == (None, 3, 8, 8)
    assert values.sizes("elsewhere") == ()
    assert values.ends == {"image", "scores"}


def test_who_makes_and_who_reads() -> None:
    values = Values(model(CONV, CAST, w=KERNEL))
    assert values.makers["x"].op_type == "Conv"
    assert [node.op_type for node in values.readers["x"]] == ["Cast"]
    assert "image" not in values.makers


def test_numbers_of_constants() -> None:
    proto = model(CONV, CAST, w=KERNEL)
    values = Values(proto)
    np.testing.assert_array_equal(values.numbers("w"), KERNEL)
    assert values.is_constant("w")
    assert values.numbers("x") is None
    proto.graph.initializer[0].data_location = TensorProto.EXTERNAL
    beside = Values(proto)
    assert beside.is_constant("w")
    assert beside.numbers("w") is None  # they are in another file


def test_where_nothing_can_be_inferred_what_is_declared_is_left() -> None:
    wrong = helper.make_node("Conv", ["image", "w"], ["x"], strides=[2, 2], kernel_shape=[9])
    values = Values(model(wrong, CAST, w=KERNEL))
    assert values.sizes("image") == (None, 3, 8, 8)
    assert values.dtype("w") == "float32"
