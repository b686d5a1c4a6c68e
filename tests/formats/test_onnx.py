"""formats/onnx.py on files, ours and others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.formats import onnx as onnx_format
from resnet_edge.formats import tflite
from resnet_edge.graph.model import read_graph
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_border_quantization_is_that_of_the_tflite_artifact(io: str, roads: Callable[[str], Road]) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", "int8", io)  # type: ignore[arg-type]
    assert onnx_format.describe(path) == tflite.describe(net.portable("int8", io))  # type: ignore[arg-type]


def test_integers_of_the_weights_are_those_of_the_tflite_artifact(roads: Callable[[str], Road]) -> None:
    net = roads("bottleneck")
    path, _ = net.artifact("onnx", "int8")
    ours = [numpy_helper.to_array(constant) for constant in onnx.load(path).graph.initializer]
    for tensor in read_graph(net.portable("int8")).tensors:
        if tensor.data is not None and tensor.data.ndim == 4 and tensor.dtype == "int8":
            wanted = tensor.data.transpose(0, 3, 1, 2)
            assert any(o.dtype == np.int8 and np.array_equal(o, wanted) for o in ours), tensor.name


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"TFL3 is not here", bytes(range(256))])
def test_what_is_no_onnx_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    for read in (onnx_format.describe, onnx_format.census):
        with pytest.raises(ArtifactError, match="a.onnx is not an ONNX file") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        onnx_format.describe(tmp_path / "none.onnx")


@pytest.mark.parametrize("zero_point", [True, False])
@pytest.mark.parametrize("per_channel", [True, False])
def test_files_of_others_are_described_too(tmp_path: Path, zero_point: bool, per_channel: bool) -> None:
    scale = np.array([0.5, 0.25], np.float32) if per_channel else np.array(0.5, np.float32)
    constants = [
        numpy_helper.from_array(scale, "s"),
        numpy_helper.from_array(np.zeros_like(scale, np.uint8), "z"),
    ]
    grid = ["s", "z"] if zero_point else ["s"]
    node = helper.make_node("DequantizeLinear", ["x", *grid], ["y"], axis=1)
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, ["batch", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])
    path = tmp_path / "other.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [x], [y], constants)), path)
    (entry,), (end,) = onnx_format.describe(path)
    per = Quantization((0.5, 0.25), (0, 0), axis=1)
    assert entry.quantization == (per if per_channel else Quantization((0.5,), (0,)))
    assert (entry.shape, entry.dtype, end.quantization) == ((None, 2), "uint8", None)


def test_input_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("SequenceAt", ["x", "i"], ["y"])
    x = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    index = numpy_helper.from_array(np.array(0), "i")
    path = tmp_path / "sequence.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [x], [y], [index])), path)
    with pytest.raises(ArtifactError, match="not an ONNX file that resnet-edge can read"):
        onnx_format.describe(path)
