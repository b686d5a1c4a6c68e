"""int8 files of ours cannot overflow: by their weights, and in a plain session without VNNI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends._precise_sums import PRECISE_SUMS
from resnet_edge.core.files.bundled import MODEL_FILE, TEST_FILE, bundled
from resnet_edge.formats.onnx import optimized, pairs
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.weighted import CHANNEL_AXIS, adds_pairs
from tests.graph.quantization.test_pair_bound import sums_beyond_16_bits
from tests.graph.road import Road, road

ort = pytest.importorskip("onnxruntime")

NETWORKS = (
    *("residual_v1", "preactivation_v2", "bottleneck", "mobile", "grouped", "dilated", "even_kernels"),
    *("depth_multiplier", "separable", "squeeze_excite", "article", "dense_on_image", "concatenated"),
)


@pytest.mark.parametrize("net", NETWORKS)
def test_no_pair_of_weights_is_at_risk(net: str, roads: Callable[[str], Road]) -> None:
    road = roads(net)
    layers = pairs(road.artifact("onnx", "int8")[0])
    assert layers
    assert sum(layer.at_risk for layer in layers) == 0
    assert 0.5 < max(layer.worst for layer in layers) <= 1
    assert len(layers) == _checked(road.portable("int8"))


def _checked(portable: Path) -> int:
    """How many layers of the graph that both formats are made from have weights that may be added in pairs;
    none of them overflows."""
    graph = read_graph(portable)
    layers = [node for node in graph.nodes if adds_pairs(graph, node)]
    for node in layers:
        kernel = graph.tensors[node.inputs[1]].data
        assert kernel is not None
        rows = np.moveaxis(kernel, CHANNEL_AXIS[node.op], 0)
        assert not sums_beyond_16_bits(rows.reshape(len(rows), -1)).any()
    return len(layers)


@pytest.mark.parametrize("net", ["residual_v1", "mobile", "depth_multiplier", "grouped"])
def test_a_plain_session_is_exact_on_the_brightest_images(net: str, roads: Callable[[str], Road]) -> None:
    """With VNNI it is in any case; without, it was not before."""
    path, _ = roads(net).artifact("onnx", "int8")
    shape = roads(net).images.shape
    images = np.random.default_rng(1).choice([-3.0, 0.0, 3.0], shape).astype(np.float32)
    outputs_plain = outputs(path, images)
    assert len(np.unique(outputs_plain)) > 10
    np.testing.assert_array_equal(outputs_plain, outputs(path, images, precise=True))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_bundled_model_in_a_plain_session_is_exact(tmp_path: Path) -> None:
    """Without VNNI, 4 % of its answers were others."""
    with np.load(bundled(TEST_FILE)) as data:
        images = data["images"][:256].astype(np.float32)
    net = road(keras.saving.load_model(bundled(MODEL_FILE)), images[:32], tmp_path)
    path, _ = net.artifact("onnx", "int8")
    layers = pairs(path)
    assert layers is not None
    assert sum(layer.at_risk for layer in layers) == 0
    np.testing.assert_array_equal(outputs(path, images), outputs(path, images, precise=True))


def outputs(path: Path, images: NDArray[Any], precise: bool = False) -> NDArray[Any]:
    options = ort.SessionOptions()
    if precise:
        options.add_session_config_entry(*PRECISE_SUMS)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])


def test_the_int8_layers_are_those_that_run_in_integers(roads: Callable[[str], Road]) -> None:
    path, _ = roads("mobile").artifact("onnx", "int8")
    ran = [node for node in optimized(path).graph.node if node.op_type in ("QLinearConv", "QGemm")]
    depthwise = [
        node for node in read_graph(roads("mobile").portable("int8")).nodes if "DEPTHWISE" in node.op
    ]
    layers = pairs(path)
    assert layers is not None
    assert len(layers) == len(ran) - len(depthwise) > 0
