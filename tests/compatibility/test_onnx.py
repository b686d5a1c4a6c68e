from __future__ import annotations

from onnx import TensorProto, helper

from resnet_edge.compatibility.onnx import minimums
from tests.compatibility.onnx_models import constant, model, node


def test_operators_in_subgraphs_and_functions_count() -> None:
    inner = helper.make_graph([node("DeformConv")], "inner", [], [])
    branch = node("If", "w", then_branch=inner, else_branch=inner)
    assert minimums(model([branch], opset=19, ir=9, constants=(constant("bool"),)))[0].version == "1.25"
    file = model([node("Own", domain="own")], opset=19, ir=9, domains=(("own", 1),))
    body = [node("DeformConv")]
    file.functions.append(
        helper.make_function("own", "Own", ["x"], ["y"], body, [helper.make_opsetid("", 19)])
    )
    assert minimums(file)[0].version == "1.25"


def test_a_value_in_a_function_is_not_the_one_of_that_name_outside() -> None:
    cast = helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16)
    inside = helper.make_node("Relu", ["h"], ["r"])
    file = model([cast, node("Own", "h", domain="own")], opset=17, ir=8, domains=(("own", 1),))
    opset = [helper.make_opsetid("", 17)]
    file.functions.append(helper.make_function("own", "Own", ["h"], ["r"], [inside], opset))
    assert minimums(file)[0].version == "1.12"
