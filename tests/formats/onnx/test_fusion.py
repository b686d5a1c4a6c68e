"""Int8 files run in integers: in ONNX Runtime after its optimizer, in LiteRT inside XNNPACK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.errors import ArtifactError
from resnet_edge.formats import onnx as onnx_format
from resnet_edge.formats._onnx.fusion import left_in_float, optimized, require_fused
from resnet_edge.formats._onnx.lowering import lower
from resnet_edge.graph.model import read_graph
from tests.formats import nets
from tests.formats.delegation import outside_xnnpack
from tests.graph.road import Road, litert, onnxruntime, road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# The portable operation, and what ONNX Runtime must run in its place.
INTEGER = {
    "CONV_2D": "QLinearConv",
    "DEPTHWISE_CONV_2D": "QLinearConv",
    "ADD": "QLinearAdd",
    "MUL": "QLinearMul",
    "MEAN": "QLinearGlobalAveragePool",
    "FULLY_CONNECTED": "QGemm",
    "AVERAGE_POOL_2D": "QLinearAveragePool",
    "LOGISTIC": "QLinearSigmoid",
}
RESIDUAL = [
    "residual_v1",
    "preactivation_v2",
    "bottleneck",
    "resnet_v1",
    "mobile",
    "article",
    "squeeze_excite",
    "grouped",
]


@pytest.mark.parametrize("name", [*RESIDUAL, "padded_twice", "average_pool", "shortcut_a", "channel_shuffle"])
def test_every_operation_becomes_its_integer_kernel(name: str, roads: Callable[[str], Road]) -> None:
    net = roads(name)
    path, _ = net.artifact("onnx", "int8")
    before = Counter(INTEGER[n.op] for n in read_graph(net.portable("int8")).nodes if n.op in INTEGER)
    after = Counter(node.op_type for node in optimized(path).graph.node)
    assert {op: after[op] for op in before} == before
    assert after["QuantizeLinear"] == after["DequantizeLinear"] == 1  # the float border, and no island
    assert left_in_float(path) == []


@pytest.mark.parametrize("name", RESIDUAL)
def test_xnnpack_takes_all_of_it(name: str, roads: Callable[[str], Road]) -> None:
    assert outside_xnnpack(roads(name).portable("int8")) == []


def test_outside_xnnpack_sees_what_is_outside(roads: Callable[[str], Road]) -> None:
    assert outside_xnnpack(roads("average_pool").portable("int8")) == ["AVERAGE_POOL_2D"] * 2


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A network that takes raw pixels, each step of its input a value of a byte."""
    from resnet_edge.zoo import build

    model = nets.randomized(build("resnet8", (16, 16, 1), 10))
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1)).astype(np.float32)
    return road(model, images, tmp_path_factory.mktemp("raw"))


def test_zoo_resnet_is_integer_throughout(raw: Road) -> None:
    path, _ = raw.artifact("onnx", "int8")
    assert left_in_float(path) == []
    assert outside_xnnpack(raw.portable("int8")) == []


def test_openvino_computes_a_layer_on_raw_pixels_in_integers(raw: Road) -> None:
    """Scale 1 and zero point 0 make a DequantizeLinear that OpenVINO removes."""
    openvino = pytest.importorskip("resnet_edge.backends.openvino", reason="openvino is not installed")
    graph = read_graph(raw.portable("int8"))
    grid = graph.tensors[next(n for n in graph.nodes if n.op == "QUANTIZE").outputs[0]].quantization
    assert grid is not None
    assert (grid.scale[0], grid.zero_point[0]) == (1, -128)
    path, _ = raw.artifact("onnx", "int8")
    assert [run.layer for run in openvino.execution(path, "cpu") if run.macs and not run.integer] == []


def pulled_apart(net: Road, path: Path) -> None:
    """The int8 ONNX with a Neg in front of every Conv: no pattern of ONNX Runtime fits."""
    model = lower(read_graph(net.portable("int8")), "float32", "net")
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Conv":
            nodes.append(helper.make_node("Neg", [node.input[0]], [f"{node.name}_neg"]))
            node.input[0] = f"{node.name}_neg"
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def test_convolution_in_float_is_an_error_that_names_it(tmp_path: Path, roads: Callable[[str], Road]) -> None:
    path = tmp_path / "slow.onnx"
    pulled_apart(roads("residual_v1"), path)
    with pytest.raises(
        ArtifactError, match=r"slow\.onnx would not run in int8: .*Conv\) and \d more"
    ) as caught:
        require_fused(path)
    assert "\n" not in str(caught.value)


def test_write_asks_for_the_proof(
    tmp_path: Path, roads: Callable[[str], Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = roads("residual_v1")
    slow = tmp_path / "slow.onnx"
    pulled_apart(net, slow)
    monkeypatch.setattr(onnx_format, "lower", lambda *_, **__: onnx.load(slow))
    with pytest.raises(ArtifactError, match="would not run in int8"):
        onnx_format.write(net.portable("int8"), scheme("int8"), "net", tmp_path / "out.onnx")


@pytest.mark.parametrize("shape", [(), (1,)])
def test_addition_with_a_scale_that_is_no_scalar_is_seen(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """What Builder.initializer is careful about: with scales of shape (1,) Add does not fuse."""
    scale = numpy_helper.from_array(np.full(shape, 0.1, np.float32), "scale")
    zero = numpy_helper.from_array(np.full(shape, 7, np.uint8), "zero")
    grid = ["scale", "zero"]
    nodes = [
        helper.make_node("DequantizeLinear", ["image", *grid], ["real"]),
        helper.make_node("Add", ["real", "real"], ["sum"], name="shortcut"),
        helper.make_node("QuantizeLinear", ["sum", *grid], ["logits"]),
    ]
    info = [helper.make_tensor_value_info(n, TensorProto.UINT8, [1, 4]) for n in ("image", "logits")]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], [scale, zero])
    path = tmp_path / "add.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    assert left_in_float(path) == ([] if shape == () else ["shortcut (Add)"])


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "activations", "global_max", "prelu"])
def test_functions_without_an_integer_kernel_may_stay_in_float(
    name: str, roads: Callable[[str], Road]
) -> None:
    path, _ = roads(name).artifact("onnx", "int8")
    assert left_in_float(path) == []


def test_file_that_does_not_open_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"no model")
    with pytest.raises(ArtifactError, match="does not open"):
        optimized(tmp_path / "no.onnx")


@pytest.mark.parametrize(("name", "layers", "pools"), [("resnet_v1", 6, 1), ("bottleneck", 6, 1)])
def test_openvino_computes_strided_1x1_convolutions_in_integers(
    name: str, layers: int, pools: int, roads: Callable[[str], Road]
) -> None:
    """Where all that read a tensor skip the same pixels, openvinotoolkit/openvino#5314 would leave them in
    float: they share a MaxPool. `bottleneck` has one of its own, and needs no more."""
    openvino = pytest.importorskip("resnet_edge.backends.openvino", reason="openvino is not installed")
    net = roads(name)
    path, _ = net.artifact("onnx", "int8")
    runs = [run for run in openvino.execution(path, "cpu") if run.macs]
    assert len(runs) == layers
    assert [run.layer for run in runs if not run.integer] == []
    assert onnx_format.census(path)["MaxPool"] == pools
    ours, theirs = onnxruntime(path, net.images), litert(net.portable("int8"), net.images)
    np.testing.assert_array_equal(ours, theirs)
