"""The oldest ONNX Runtime for a file."""

from __future__ import annotations

import onnx
import onnxruntime
import pytest

from resnet_edge.compatibility import onnxruntime as table
from resnet_edge.compatibility.onnx import minimums
from tests.compatibility.onnx_models import BYTE, MICROSOFT, constant, model, node


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
    minimum = minimums(file)[0]
    assert (minimum.state, minimum.version) == (state, version)
    assert words in minimum.why


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


def test_ort_formats_and_what_is_in_them() -> None:
    assert table.of_ort("4", {"": 11}, {("", "Relu")}).version == "1.8"
    assert table.of_ort("5", {"": 18}, {("", "Relu")}).version == "1.14"
    assert table.of_ort("4", {"": 11}, {("com.microsoft", "QGemm")}).version == "1.9"
    assert table.of_ort("9", {}, set()).state == "unknown"
