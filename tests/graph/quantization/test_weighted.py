from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from resnet_edge.core.scheme import DenseScales, Scheme
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import measure_ranges
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.weighted import layers, with_constants, write_constants
from tests.formats import nets
from tests.graph.mixed import ranges_of
from tests.graph.road import Road, litert, road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_layers_are_those_with_kernels(residual: Road) -> None:
    listed = layers(read_graph(residual.float_graph))
    assert [layer.op for layer in listed] == ["CONV_2D"] * 6 + ["FULLY_CONNECTED"]
    for layer in listed:
        assert layer.bias is not None
        assert layer.rows.shape == (len(layer.bias), layer.kernel[0].size)
        np.testing.assert_array_equal(layer.kernel_of(layer.rows), layer.kernel)


@pytest.mark.parametrize("dense_scales", get_args(DenseScales))
def test_steps_and_integers_are_those_that_the_quantizer_writes(
    dense_scales: DenseScales, residual: Road, tmp_path: Path
) -> None:
    requested = replace(scheme("int8"), dense_scales=dense_scales)
    quantize(residual.float_graph, requested, ranges_of(residual), tmp_path / "q.tflite")
    stored = read_graph(tmp_path / "q.tflite")
    kernels = [stored.tensors[n.inputs[1]] for n in stored.nodes if n.op in ("CONV_2D", "FULLY_CONNECTED")]
    listed = layers(read_graph(residual.float_graph), dense_scales)
    assert len(kernels) == len(listed)
    for layer, kernel in zip(listed, kernels, strict=True):
        assert kernel.quantization is not None
        assert kernel.data is not None
        stored_steps = np.broadcast_to(np.array(kernel.quantization.scale), layer.steps.shape)
        np.testing.assert_allclose(layer.steps, stored_steps, rtol=1e-6)
        integers = np.rint(layer.rounded() / layer.steps[:, None])
        np.testing.assert_array_equal(integers.reshape(kernel.data.shape), kernel.data)


def test_depthwise_rows_are_its_channels(tmp_path: Path) -> None:
    model = nets.mobile()
    net = road(model, nets.images(model), tmp_path)
    depthwise = [one for one in layers(read_graph(net.float_graph)) if one.op == "DEPTHWISE_CONV_2D"]
    assert depthwise
    for layer in depthwise:
        assert layer.rows.shape == (layer.kernel.shape[3], layer.kernel.shape[1] * layer.kernel.shape[2])
        np.testing.assert_array_equal(layer.rows[1], layer.kernel[0, :, :, 1].ravel())
        np.testing.assert_array_equal(layer.kernel_of(layer.rows), layer.kernel)


def test_written_constants_are_those_given(residual: Road, tmp_path: Path) -> None:
    graph = read_graph(residual.float_graph)
    last = layers(graph)[-1]
    assert last.bias is not None
    constants = {(last.index, 2): last.bias + 3, (last.index, 1): last.kernel * 2}
    write_constants(residual.float_graph, constants, tmp_path / "out.tflite")
    before, after = (litert(p, residual.images) for p in (residual.float_graph, tmp_path / "out.tflite"))
    np.testing.assert_allclose(after, 2 * (before - last.bias) + last.bias + 3, atol=1e-4)
    written, planned = read_graph(tmp_path / "out.tflite"), with_constants(graph, constants)
    for ours, theirs in zip(layers(written), layers(planned), strict=True):
        np.testing.assert_array_equal(ours.kernel, theirs.kernel)
        assert ours.bias is not None
        np.testing.assert_array_equal(ours.bias, theirs.bias)


def test_constant_that_two_layers_share_changes_for_one_only(tmp_path: Path) -> None:
    import keras
    from keras import layers as keras_layers

    shared = keras_layers.Conv2D(4, 3, padding="same", activation="relu")
    image = keras.Input((6, 6, 4))
    x = keras_layers.GlobalAveragePooling2D()(shared(shared(image)))
    model = nets.randomized(keras.Model(image, keras_layers.Dense(3)(x)))
    net = road(model, nets.images(model), tmp_path)
    graph = read_graph(net.float_graph)
    first, second = (node for node in graph.nodes if node.op == "CONV_2D")
    assert first.inputs[1] == second.inputs[1], "the converter stores the kernel once"
    one = layers(graph)[0]
    changed = {(one.index, 1): one.kernel * 2}
    write_constants(net.float_graph, changed, tmp_path / "out.tflite")
    for listed in (layers(read_graph(tmp_path / "out.tflite")), layers(with_constants(graph, changed))):
        np.testing.assert_array_equal(listed[0].kernel, 2 * one.kernel)
        np.testing.assert_array_equal(listed[1].kernel, one.kernel)
    int8: Scheme = scheme("int8")  # two tensors of one name would get one range
    ranges = measure_ranges(
        tmp_path / "out.tflite", (image[None] for image in net.images), takes_pixels=False, threads=1
    )
    quantize(tmp_path / "out.tflite", int8, ranges, tmp_path / "int8.tflite")
    kernels = [n for n in read_graph(tmp_path / "int8.tflite").nodes if n.op == "CONV_2D"]
    assert kernels[0].inputs[1] != kernels[1].inputs[1]
