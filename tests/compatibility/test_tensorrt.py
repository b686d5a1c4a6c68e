"""TensorRT's rules; files of ours, of tf2onnx and of quantize_static are in tests/cli, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from resnet_edge.compatibility.onnx import minimums
from resnet_edge.compatibility.tensorrt_operators import NOT_TAKEN, OPERATORS
from resnet_edge.core.minimum import RuntimeMinimum
from tests.backends import tiny
from tests.compatibility.onnx_models import MICROSOFT, model, node


def of(file: onnx.ModelProto) -> RuntimeMinimum:
    minimum = minimums(file)[2]
    assert minimum.runtime == "TensorRT"
    return minimum


@pytest.mark.parametrize(
    ("file", "state", "version", "words"),
    [
        (model([node("Relu")]), "at least", "8.0", "the oldest looked at"),
        (model([node("Relu")], opset=17, ir=8), "at least", "8.4", "set 17"),
        (model([node("Relu")], opset=18, ir=8), "at least", "9.0", "set 18"),
        (model([node("Relu")], opset=25, ir=11), "at least", "11.0", "set 25"),
        (model([node("Relu")], opset=99, ir=8), "unknown", "", "set 99 is newer"),
        (model([node("Gelu")], opset=20, ir=9), "at least", "10.0", "set 20"),
        (model([node("LayerNormalization", "x", "w")], opset=17, ir=8), "at least", "8.6", "LayerNorm"),
        (model([node("QLinearConv", "x")]), "unknown", "", "QLinearConv (y), which no release takes"),
        (model([node("Gelu", domain="com.microsoft")], domains=MICROSOFT), "unknown", "", "needs a plugin"),
        (model([node("Novel")]), "unknown", "", "not among the operators known"),
        (model([node("MaxPool", dilations=[2, 2], kernel_shape=[2, 2])]), "unknown", "", "has dilations"),
        (model([node("Resize", mode="cubic")]), "unknown", "", "resizes with cubic"),
        (model([node("Resize", coordinate_transformation_mode="half_pixel_symmetric")]), *("unknown", ""),
         "half_pixel_symmetric"),
    ],
)  # fmt: skip
def test_operators_and_their_sets(file: onnx.ModelProto, state: str, version: str, words: str) -> None:
    minimum = of(file)
    assert (minimum.state, minimum.version) == (state, version), minimum.why
    assert words in minimum.why


def test_no_operator_is_taken_and_not_taken() -> None:
    assert not NOT_TAKEN & OPERATORS.keys()


def pair(dtype: str = "int8", zero: int | None = 0, scales: int = 1) -> onnx.ModelProto:
    """An activation between QuantizeLinear and DequantizeLinear, read by a Conv."""
    scale = np.full(() if scales == 1 else scales, 0.5, np.float32)
    kernel = numpy_helper.from_array(np.ones((4, 4, 1, 1), np.float32), "w")
    constants = [numpy_helper.from_array(scale, "scale"), kernel]
    grid = ["scale"]
    if zero is not None:
        grid.append("zero")
        constants.append(numpy_helper.from_array(np.full(scale.shape, zero, dtype), "zero"))
    nodes = [
        helper.make_node("QuantizeLinear", ["x", *grid], ["q"], name="quantize"),
        helper.make_node("DequantizeLinear", ["q", *grid], ["d"], name="restore"),
        helper.make_node("Conv", ["d", "w"], ["y"]),
    ]
    return _images(nodes, constants)


def _images(nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 8, 8]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    proto: Any = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert isinstance(proto, onnx.ModelProto)
    return proto


@pytest.mark.parametrize(
    ("file", "state", "words"),
    [
        (pair(), "at least", "set 17"),
        (pair("uint8"), "never", "quantize quantizes to uint8"),
        (pair(zero=None), "never", "quantize has no zero point"),
        (pair(zero=-7), "never", "quantize has the zero point -7"),
        (pair(scales=4), "unknown", "quantize has 4 scales for an activation"),
    ],
)  # fmt: skip
def test_quantization(file: onnx.ModelProto, state: str, words: str) -> None:
    minimum = of(file)
    assert minimum.state == state, minimum.why
    assert words in minimum.why


def kernel(axis: int, dtype: str = "int8") -> onnx.ModelProto:
    """Integers of a kernel behind one DequantizeLinear."""
    arrays = {
        "w": np.ones((4, 4, 1, 1), dtype),
        "scale": np.full(4, 0.5, np.float32),
        "zero": np.zeros(4, dtype),
    }
    nodes = [
        helper.make_node("DequantizeLinear", [*arrays], ["d"], name="restore", axis=axis),
        helper.make_node("Conv", ["x", "d"], ["y"]),
    ]
    return _images(nodes, [numpy_helper.from_array(data, name) for name, data in arrays.items()])


def test_scales_of_a_kernel_go_along_its_outputs() -> None:
    assert of(kernel(0)).state == "at least"
    minimum = of(kernel(1))
    assert (minimum.state, "along axis 1 of a kernel" in minimum.why) == ("unknown", True)


def test_biases_in_int32_are_refused_with_the_way_out() -> None:
    minimum = of(kernel(0, "int32"))
    assert minimum.state == "never"
    assert "restore dequantizes int32" in minimum.why
    assert "leave biases in float" in minimum.why


def test_uint8_is_for_the_ends() -> None:
    ends = [("x", TensorProto.UINT8), ("y", TensorProto.UINT8)]
    info = [helper.make_tensor_value_info(name, kind, [1, 4, 8, 8]) for name, kind in ends]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Relu", ["f"], ["r"]),
        helper.make_node("Cast", ["r"], ["y"], to=TensorProto.UINT8),
    ]
    opsets = [helper.make_opsetid("", 17)]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:])
    assert of(helper.make_model(graph, opset_imports=opsets)).state == "at least"
    nodes.insert(0, helper.make_node("Transpose", ["x"], ["t"], name="turn", perm=[0, 2, 3, 1]))
    nodes[1].input[0] = "t"
    graph = helper.make_graph(nodes, "g", info[:1], info[1:])
    minimum = of(helper.make_model(graph, opset_imports=opsets))
    assert (minimum.state, "turn computes with uint8" in minimum.why) == ("never", True)


class Reader(CalibrationDataReader):
    def __init__(self) -> None:
        self._left = iter(tiny.pixels(8).astype(np.float32))

    def get_next(self) -> dict[str, Any] | None:
        image = next(self._left, None)
        return None if image is None else {"image": image[None]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("options_of_quantizer", "symmetric", "state", "words"),
    [
        ({"activation_type": QuantType.QUInt8}, False, "never", "uint8"),
        ({"activation_type": QuantType.QInt8}, False, "never", "has the zero point"),
        ({"activation_type": QuantType.QInt8}, True, "at least", "operators are of set"),
    ],
)
def test_files_of_onnxruntimes_quantizer(
    tmp_path: Path, options_of_quantizer: dict[str, Any], symmetric: bool, state: str, words: str
) -> None:
    tiny.write_onnx(tmp_path)
    path = tmp_path / "quantized.onnx"
    options = {"ActivationSymmetric": symmetric, "WeightSymmetric": True, "QuantizeBias": not symmetric}
    quantize_static(
        tmp_path / "fixed.onnx",
        path,
        Reader(),
        weight_type=QuantType.QInt8,
        extra_options=options,
        **options_of_quantizer,
    )
    minimum = of(onnx.load(path))
    assert minimum.state == state, minimum.why
    assert words in minimum.why


def test_an_open_batch_needs_a_profile(tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    assert "profile" not in of(onnx.load(tmp_path / "fixed.onnx")).why
    minimum = of(onnx.load(tmp_path / "dynamic.onnx"))
    assert (minimum.state, "sizes of image are open" in minimum.why) == ("at least", True)
