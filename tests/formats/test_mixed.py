"""Int8 files in which some layers stay float: exactly those, the same numbers in both runtimes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Io
from resnet_edge.formats import tflite
from resnet_edge.formats._onnx.builder import Builder
from resnet_edge.formats._onnx.fusion import optimized, require_fused
from resnet_edge.formats._onnx.lowering import lower
from resnet_edge.graph.model import Graph, read_graph
from tests.formats.delegation import outside_xnnpack
from tests.graph.mixed import float_graph, mixed_artifacts, mixed_graph, named
from tests.graph.road import Road, litert, onnxruntime, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Pick = Callable[[Graph], list[str]]
PICKS: dict[str, Pick] = {
    "first": lambda graph: named(graph)[:1],
    "an addition": lambda graph: named(graph, "ADD")[:1],
    "last dense": lambda graph: named(graph, "FULLY_CONNECTED")[-1:],
    "two apart": lambda graph: [named(graph, "CONV_2D")[1], named(graph, "CONV_2D")[-1]],
    "block": lambda graph: named(graph)[1:4],
    "every other": lambda graph: named(graph)[::2],
    "all": named,
}
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@pytest.mark.parametrize("pick", PICKS)
@pytest.mark.parametrize("name", ["residual_v1", "bottleneck", "article", "mobile"])
def test_both_runtimes_give_the_same_numbers(
    name: str, pick: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads(name)
    files = mixed_artifacts(net, PICKS[pick](float_graph(net)), tmp_path)
    ours, theirs = litert(files["tflite"], net.images), onnxruntime(files["onnx"], net.images)
    step = np.ptp(net.reference) / 255
    assert np.abs(ours - theirs).max() <= 1.01 * step  # where float rounds apart, one step of a logit
    assert outside_xnnpack(files["tflite"]) == []
    # What stays float is nearer to the model than what does not, up to luck: that of "all" is the model.
    error = np.abs(ours - net.reference).max()
    assert error <= (1e-4 if pick == "all" else 12 * step)


@pytest.mark.parametrize("pick", PICKS)
def test_integer_parts_still_fuse_completely(pick: str, roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("bottleneck")
    graph = float_graph(net)
    layers = PICKS[pick](graph)
    ops = [node.op_type for node in optimized(mixed_artifacts(net, layers, tmp_path)["onnx"]).graph.node]
    weighted = named(graph, *WEIGHTED)
    kept = len(set(weighted) & set(layers))
    assert ops.count("Conv") + ops.count("Gemm") == kept
    assert ops.count("QLinearConv") + ops.count("QGemm") == len(weighted) - kept


def test_onnxruntime_would_quantize_a_float_layer_by_itself(
    roads: Callable[[str], Road], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Builder.apart is for, and that its absence does not go unseen. If this fails, ONNX Runtime
    has stopped doing so, and Builder.apart can go."""
    net = roads("residual_v1")
    layers = named(float_graph(net), "CONV_2D")[1:2]
    with monkeypatch.context() as patch:
        patch.setattr(Builder, "apart", Builder.value)
        with pytest.raises(ArtifactError, match="leaves 0 of 1 layers in float that were to stay so"):
            mixed_artifacts(net, layers, tmp_path)
    require_fused(mixed_artifacts(net, layers, tmp_path)["onnx"], layers)


def test_float_layer_that_was_not_declared_is_an_error(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    first, second, *_ = named(float_graph(net), "CONV_2D")
    files = mixed_artifacts(net, [first, second], tmp_path)
    for declared in ([], [first]):
        with pytest.raises(ArtifactError, match=r"would not run in int8: .*Conv.* in float"):
            require_fused(files["onnx"], declared)
        with pytest.raises(ArtifactError, match="stayed in float"):
            tflite.write(files["tflite"], scheme("int8"), "net", tmp_path / "again.tflite", declared)


def test_declared_layer_that_is_int8_is_an_error(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    first, second, *_ = named(float_graph(net), "CONV_2D")
    files = mixed_artifacts(net, [first], tmp_path)
    with pytest.raises(ArtifactError, match="leaves 1 of 2 layers in float"):
        require_fused(files["onnx"], [first, second])
    with pytest.raises(ArtifactError, match="was to stay in float and did not"):
        tflite.write(files["tflite"], scheme("int8"), "net", tmp_path / "again.tflite", [first, second])


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_integer_border_next_to_a_float_layer(io: Io, roads: Callable[[str], Road], tmp_path: Path) -> None:
    """A float layer behind integers that come from outside."""
    net = roads("residual_v1")
    layers = named(float_graph(net), "CONV_2D")[1:2]
    portable = mixed_graph(net, layers, tmp_path, io)
    path = tmp_path / "written.onnx"
    onnx.save(lower(read_graph(portable), "float32", "net"), path)
    require_fused(path, layers)
    images = np.random.default_rng(0).integers(0, 100, net.images.shape).astype(io)
    assert np.abs(litert(portable, images).astype(int) - onnxruntime(path, images)).max() <= 1
