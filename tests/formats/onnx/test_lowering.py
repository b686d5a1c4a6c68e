"""The lowering to ONNX against LiteRT, network by network, in float32, float16 and int8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.scheme import Io
from resnet_edge.core.tensors import quantize
from resnet_edge.formats import onnx as onnx_format
from tests.formats import nets
from tests.graph.road import Road, litert, onnxruntime, output_step, road, scheme

Roads = Callable[[str], Road]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LOWERED = [
    "residual_v1", "preactivation_v2", "bottleneck", "mobile", "squeeze_excite", "max_pool_below_zero",
    "padded_twice", "average_pool", "activations", "prelu", "gelu", "gelu_tanh", "concatenated", "article",
    "grouped", "dilated", "dilated_valid", "even_kernels", "depth_multiplier", "separable", "global_max",
    "group_norm", "layer_norm", "cropped", "constants", "sigmoid_gate_per_pixel", "shortcut_a",
    "channel_shuffle", "resnet_v1", "dense_on_image", "dense_on_rows", "bounded", "resized", "transposed",
]  # fmt: skip

# Steps of the int8 output by which ONNX Runtime may differ from LiteRT. Everything that a ResNet
# is made of: none. What the runtimes round differently: requantization from grid to grid (XNNPACK
# multiplies by 8 bits) in front of a concatenation, halves in averages, and functions from tables.
STEPS = {
    "max_pool_below_zero": 2, "concatenated": 2, "bounded": 2, "average_pool": 2, "activations": 1,
    "layer_norm": 3,
}  # fmt: skip


@pytest.fixture
def net(request: pytest.FixtureRequest, roads: Roads) -> Road:
    return roads(request.param)


def outputs(net: Road, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    path, converter = net.artifact("onnx", name)
    assert converter.startswith("resnet-edge")
    return litert(net.portable(name), net.images), onnxruntime(path, net.images)


@pytest.mark.parametrize("net", LOWERED, indirect=True)
def test_float32_is_that_of_litert_and_keras(net: Road) -> None:
    ours, theirs = outputs(net, "fp32")
    # The order of the float32 sums differs; measured: at most 7.5e-7 of the largest logit.
    tolerance = 2e-6 * np.abs(net.reference).max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    np.testing.assert_allclose(theirs, net.reference, rtol=0, atol=tolerance)
    assert np.ptp(net.reference) > 0.5  # or agreement would mean nothing


@pytest.mark.parametrize("net", LOWERED, indirect=True)
def test_float16_is_that_of_litert_within_half_precision(net: Road) -> None:
    ours, theirs = outputs(net, "fp16")
    # LiteRT computes in float32 with float16 weights, ONNX in float16 throughout (2**-11 a step);
    # measured: at most 3.6e-4.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-3 * np.abs(net.reference).max())


@pytest.mark.parametrize("name", LOWERED)
def test_int8_is_that_of_litert_bit_for_bit(name: str, roads: Roads) -> None:
    net = roads(name)
    ours, theirs = outputs(net, "int8")
    steps = np.rint(np.abs(ours - theirs) / output_step(net.portable("int8")))
    assert steps.max() <= STEPS.get(name, 0)
    assert len(np.unique(ours)) > 10
    noise = np.square(theirs - net.reference).sum() / np.square(net.reference).sum()
    assert 10 * np.log10(1 / noise) > 25  # decibels; measured: 28.7 (group_norm) to 48


@pytest.mark.parametrize("dense", [False, True])
def test_dynamic_batch_with_flatten(dense: bool, tmp_path: Path) -> None:
    """Before a reshape of unknown batch the graph computes the shape; ONNX needs none of it."""
    model = nets.article() if dense else nets.squeeze_excite()
    net = road(model, nets.images(model), tmp_path, dynamic_batch=True)
    for name, atol in (("fp32", 1e-5), ("int8", 0.0)):
        path, converter = net.artifact("onnx", name)
        assert converter.startswith("resnet-edge")
        together = onnxruntime(path, net.images, batch=3)
        np.testing.assert_allclose(together, onnxruntime(path, net.images), rtol=0, atol=atol)
        np.testing.assert_allclose(together, litert(net.portable(name), net.images, 3), rtol=0, atol=1e-5)


def test_softmax_stays_in_float_and_agrees(tmp_path: Path) -> None:
    model = nets.probabilities()
    net = road(model, nets.images(model), tmp_path, output="probabilities")
    ours, theirs = outputs(net, "int8")
    np.testing.assert_allclose(ours.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "io"), [("fp32", "float32"), ("fp16", "float32"), *(("int8", io) for io in get_args(Io))]
)
def test_channels_first_give_the_same_bits(name: str, io: Io, roads: Roads, tmp_path: Path) -> None:
    net, path = roads("resnet_v1"), tmp_path / "first.onnx"
    last, _ = net.artifact("onnx", name, io)
    onnx_format.write(net.portable(name, io), scheme(name), "net", path, channels_first=True)
    ((before,), _), ((entry,), _) = onnx_format.describe(last), onnx_format.describe(path)
    assert (before.layout, entry.layout) == ("NHWC", "NCHW")
    assert (entry.name, entry.dtype, entry.quantization) == (before.name, before.dtype, before.quantization)
    assert entry.image_size == before.image_size
    fed = net.images if entry.quantization is None else quantize(net.images, entry)
    turned = np.ascontiguousarray(fed.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(onnxruntime(path, turned), onnxruntime(last, fed))
    assert onnx_format.census(last)["Transpose"] == 1
    assert "Transpose" not in onnx_format.census(path)
