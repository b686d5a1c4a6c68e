from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.compatibility import onnxruntime as table
from resnet_edge.compatibility import ort
from resnet_edge.compatibility.onnx import minimums

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8


def model(
    nodes: list[onnx.NodeProto],
    opset: int = 11,
    ir: int = 6,
    constants: tuple[onnx.TensorProto, ...] = (),
    domains: tuple[tuple[str, int], ...] = (),
    dtype: int = FLOAT,
) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, end, [1, 4]) for name, end in (("x", dtype), ("y", FLOAT))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], list(constants))
    imports = [helper.make_opsetid(name, version) for name, version in (("", opset), *domains)]
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=imports)
    made.ir_version = ir
    return made


def node(kind: str, *inputs: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    made: onnx.NodeProto = helper.make_node(kind, list(inputs or ("x",)), ["y"], domain=domain, **attributes)
    return made


def constant(dtype: str) -> onnx.TensorProto:
    made: onnx.TensorProto = numpy_helper.from_array(np.ones((4, 4), dtype), "w")
    return made


MICROSOFT = (("com.microsoft", 1),)


@pytest.mark.parametrize(
    ("file", "state", "version", "words"),
    [
        (model([node("Relu")]), "known", "1.2", "every release"),
        (model([node("Relu")], opset=17, ir=8), "known", "1.12", "set 17"),
        (model([node("Relu")], opset=15, ir=8), "known", "1.9", "set 15"),
        (model([node("Relu")], opset=13, ir=10), "known", "1.18", "IR version 10"),
        (model([node("Relu")], opset=99), "unknown", "", "set 99 is newer"),
        (model([node("Relu")], ir=99), "unknown", "", "IR version 99 is newer"),
        (model([node("QLinearAdd", domain="com.microsoft")], domains=MICROSOFT), "known", "1.2", "every"),
        (model([node("QGemm", domain="com.microsoft")], domains=MICROSOFT), "known", "1.9", "QGemm"),
        (model([node("QLinearSoftmax", domain="com.microsoft")], 13), "known", "1.13", "QLinearSoftmax"),
        (
            model(
                [node("QGemm", "x", "s", "w", domain="com.microsoft")],
                constants=(constant("int8"),),
                domains=MICROSOFT,
            ),
            "known",
            "1.11",
            "QGemm is in int8",
        ),
        (
            model([node("New", domain="com.microsoft")], domains=MICROSOFT),
            "unknown",
            "",
            "New of com.microsoft",
        ),
        (model([node("Own", domain="own")], domains=(("own", 1),)), "unknown", "", "what the app brings"),
        (model([node("DeformConv")], opset=19, ir=9), "known", "1.25", "kernel came later"),
        (model([node("RoiAlign")], opset=22, ir=10), "never", "", "no kernel"),
        (
            model([node("ConvInteger", "x", "w")], 11, 6, (constant("int8"),), (), BYTE),
            "known",
            "1.24",
            "int8",
        ),
        (
            model([node("ConvInteger", "x", "w")], 11, 6, (constant("uint8"),), (), BYTE),
            "known",
            "1.2",
            "every",
        ),
    ],
)
def test_the_oldest_onnxruntime(file: onnx.ModelProto, state: str, version: str, words: str) -> None:
    found = minimums(file)[0]
    assert (found.state, found.version) == (state, version)
    assert words in found.why


@pytest.mark.parametrize(
    ("file", "state", "version"),
    [
        (model([node("Relu")]), "unknown", ""),
        (model([node("Gemm", "x", "w")], constants=(constant("float32"),)), "at least", "4.7"),
        (model([node("Gemm", "x", "w", transB=1)], constants=(constant("float32"),)), "unknown", ""),
        (model([node("MatMul", "x", "w")], constants=(constant("float16"),)), "at least", "4.7"),
        (model([node("QLinearSoftmax", domain="com.microsoft")], domains=MICROSOFT), "at least", "4.8"),
        (model([node("DynamicQuantizeLinear")]), "unknown", ""),
    ],
)
def test_what_is_known_of_opencv(file: onnx.ModelProto, state: str, version: str) -> None:
    found = minimums(file)[1]
    assert (found.runtime, found.state, found.version) == ("OpenCV", state, version)
    assert found.why


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


def test_the_installed_onnxruntime_takes_the_newest_that_the_table_has() -> None:
    def opens(file: onnx.ModelProto) -> bool:
        try:
            onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
        except Exception:  # its exceptions share no base of their own
            return False
        return True

    installed = onnxruntime.__version__.split(".")[:2]
    if ".".join(installed) != table.NEWEST:
        pytest.skip(f"the table ends at {table.NEWEST}")
    newest = max(table.OPSETS), max(table.IR_VERSIONS)
    assert opens(model([node("Relu")], opset=newest[0], ir=newest[1]))
    assert not opens(model([node("Relu")], opset=newest[0], ir=newest[1] + 1))


def test_an_ort_file_tells_its_format_and_operators(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.optimized_model_filepath = str(tmp_path / "a.ort")
    file = model([node("Relu")], opset=17, ir=8).SerializeToString()
    onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    content = (tmp_path / "a.ort").read_bytes()
    found = ort.minimum(content)
    assert (found.state, found.version) == ("known", "1.16")
    assert "version 6 of the .ort format" in found.why
    with pytest.raises(Exception, match="."):
        ort.minimum(content[:40])


def test_ort_formats_and_what_is_in_them() -> None:
    assert table.of_ort("4", {"": 11}, {("", "Relu")}).version == "1.8"
    assert table.of_ort("5", {"": 18}, {("", "Relu")}).version == "1.14"
    assert table.of_ort("4", {"": 11}, {("com.microsoft", "QGemm")}).version == "1.9"
    assert table.of_ort("9", {}, set()).state == "unknown"
