"""Tests of fake quantization: that it rounds as the int8 file does, and what it learns and keeps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

import tests.compression.tfmot.imported  # noqa: F401  # before what imports tensorflow_model_optimization
from resnet_edge.compression.tfmot.bridge import to_tf_keras
from resnet_edge.compression.tfmot.quantize import FakeQuantized, fake_quantized, masks_of
from resnet_edge.compression.tfmot.quantize_points import points_of
from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization import weighted
from resnet_edge.graph.quantization.additions import aligned_ranges, scale_of
from resnet_edge.graph.quantization.calibrate import Ranges, measure_ranges
from resnet_edge.graph.quantization.integer import require_integer
from resnet_edge.graph.quantization.learned import Learned, learned_ranges
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.models.activations import activations
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from resnet_edge.models.learned_ranges import INPUT, PRODUCT
from tests.formats import nets
from tests.graph.road import litert, output_step, road, scheme
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
Case = tuple[Callable[[], keras.Model], DenseScales]


def branches() -> keras.Model:
    """Branches that nothing but a concatenation reads. (What others read as well is rounded again before it,
    where XNNPACK's fixed point is coarse: 2.5 % of such values are a step off.)"""

    def body(x: Any) -> Any:
        x = nets.conv_bn(x, 8)
        x = keras.layers.Concatenate()([nets.conv_bn(x, 6, 1), nets.conv_bn(x, 4, activation=None)])
        return nets.conv_bn(keras.layers.UpSampling2D(2)(x), 12, strides=2)

    return nets.classifier(body)


NETS = [nets.residual_v1, nets.preactivation_v2, nets.bottleneck, nets.mobile, nets.article, branches]
CASES: list[Case] = [*((net, "per-tensor") for net in NETS), (nets.residual_v1, "per-channel")]


def quantized(
    model: keras.Model, masks: dict[str, Any] | None = None, dense_scales: DenseScales = "per-tensor"
) -> tuple[FlatGraph, FakeQuantized]:
    graph = flat_graph(model, model.input_shape[1:])
    return graph, fake_quantized(to_tf_keras(graph), points_of(graph), masks or {}, dense_scales)


@dataclass(frozen=True, kw_only=True)
class Int8:
    """A network with fake quantization, and the int8 graph that has its ranges."""

    outputs: NDArray[np.float32]
    images: NDArray[np.float32]
    path: Path
    float_graph: Graph
    fixed: Ranges

    @property
    def graph(self) -> Graph:
        return read_graph(self.path)


def as_trained() -> AbstractContextManager[Any]:
    """Weights as fake quantization has them, which does not know of pairs that overflow
    (graph/quantization/pair_bound.py): the files that users get have other weights in channels at risk."""
    return patch.object(weighted, "adds_pairs", lambda graph, node: False)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0].__name__}-{case[1]}")
def int8(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Int8:
    case: Case = request.param
    model, stored = case[0](), replace(scheme("int8"), dense_scales=case[1])
    images = nets.images(model)
    graph, network = quantized(model, dense_scales=case[1])
    low, high = float(images.min()), float(images.max())
    entering = tf.quantization.fake_quant_with_min_max_args(images, low, high).numpy()
    network.observe([entering[:12], entering[12:]])
    ranges = {**network.ranges(), INPUT: (low, high)}
    exported = road(model, images, tmp_path_factory.mktemp("int8"))
    learned = Learned(ranges, images[:2], activations(graph, ranges, images[:2]))
    fixed = learned_ranges(exported.float_graph, learned)
    rows = (image[None] for image in images)
    measured = measure_ranges(exported.float_graph, rows, takes_pixels=False, threads=1) | fixed
    out = exported.folder / "qat.tflite"
    with as_trained():
        quantize(exported.float_graph, stored, measured, out)
        aligned = aligned_ranges(read_graph(out), measured)
        quantize(exported.float_graph, stored, aligned, out)
    quantize(exported.float_graph, stored, aligned, out.with_stem("shipped"))
    outputs = network.model(entering, training=False).numpy()
    return Int8(
        outputs=outputs, images=images, path=out, float_graph=read_graph(exported.float_graph), fixed=fixed
    )


def test_the_int8_file_gives_what_fake_quantization_gives(int8: Int8) -> None:
    step = output_step(int8.path)
    steps = np.abs(litert(int8.path, int8.images) - int8.outputs) / step
    # One step where float32 and int32 round a half apart; mean 0.08 on the bottleneck, below on all others.
    assert steps.max() < 1.01
    assert steps.mean() < 0.15
    assert (int8.outputs.max(axis=1) - int8.outputs.min(axis=1)).min() > 4 * step, (
        "flat outputs prove nothing"
    )


def test_nothing_that_counts_runs_in_float(int8: Int8) -> None:
    require_integer(int8.graph)


def test_every_activation_but_moved_ones_has_the_learned_scale(int8: Int8) -> None:
    outputs = {node.outputs[0]: node.op for node in int8.float_graph.nodes}
    joined = {i for node in int8.float_graph.nodes if node.op == "CONCATENATION" for i in node.inputs}
    without = {
        outputs.get(index, "input")
        for index, tensor in enumerate(int8.float_graph.tensors)
        if tensor.data is None
        and tensor.dtype == "float32"
        and tensor.name not in int8.fixed
        and index not in joined  # on the grid of what they are joined to
    }
    assert without <= {"PAD", "MAX_POOL_2D", "RESHAPE", "TILE"}
    scales = {
        tensor.name.removesuffix("_quantized"): (tensor.quantization.scale[0], index)
        for index, tensor in enumerate(int8.graph.tensors)
        if tensor.quantization is not None and tensor.data is None
    }
    makers = {node.outputs[0]: node.op for node in int8.graph.nodes}
    for name, (low, high) in int8.fixed.items():
        scale, index = scales[name]
        if makers[index] == "ADD":
            assert 1 <= scale / scale_of(low, high) < 1.0046, "additions.py widens them"
        else:
            assert np.float32(scale) == np.float32(scale_of(low, high))


def test_what_pairs_give_up_moves_the_shipped_file_by_few_steps(int8: Int8) -> None:
    """Of random weights, most channels are at risk: measured up to 3 steps, 0.69 on average."""
    steps = np.abs(litert(int8.path.with_stem("shipped"), int8.images) - int8.outputs) / output_step(
        int8.path
    )
    assert steps.max() < 4.01
    assert 0 < steps.mean() < 1.25  # a dense layer has one step, and is at risk as a whole


def test_a_folded_normalization_leaves_the_int8_kernel_as_it_was_trained(tmp_path: Path) -> None:
    """Per channel, the scale of the normalization (negative ones too) goes into the step alone."""
    model = nets.randomized(nets.residual_v1())
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(layer.gamma * np.where(np.arange(layer.gamma.shape[0]) % 2, 1, -1))
    exported = road(model, nets.images(model), tmp_path)
    with as_trained():
        quantize(exported.float_graph, scheme("int8"), ranges_of(exported), tmp_path / "int8.tflite")
    (stem, *_) = [n for n in read_graph(tmp_path / "int8.tflite").nodes if n.op == "CONV_2D"]
    stored = read_graph(tmp_path / "int8.tflite").tensors[stem.inputs[1]].data
    _, network = quantized(model)
    name = next(layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = network.variables[name][0]
    quantizer = network.kernels[name]
    rounded = quantizer(kernel, True, quantizer.build(kernel.shape, "again", wrapper(network, name))).numpy()
    steps = rounded / (np.abs(kernel.numpy()).max(axis=(0, 1, 2)) / 127)
    sign = np.where(np.arange(8) % 2, 1, -1)
    assert stored is not None
    np.testing.assert_allclose(np.moveaxis(stored, 0, -1), steps * sign, atol=1e-3)


def wrapper(network: FakeQuantized, name: str) -> Any:
    return network.model.get_layer(name)


def ranges_of(exported: Any) -> Ranges:
    rows = (image[None] for image in exported.images)
    return measure_ranges(exported.float_graph, rows, takes_pixels=False, threads=1)


def fit(network: FakeQuantized, images: NDArray[np.float32], epochs: int = 3) -> None:
    labels = np.arange(len(images)) % nets.CLASSES
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf_keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=1e-3)
    network.model.compile(optimizer, loss)
    network.model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)


def test_observing_begins_with_the_mean_of_the_batches_in_float() -> None:
    model = nets.preactivation_v2()
    images = nets.images(model)
    graph, network = quantized(model)
    network.observe([images[:12], images[12:]])
    ranges = network.ranges()
    assert any(name.endswith(PRODUCT) for name in ranges)
    outputs = activations(graph, ranges, images)
    for name, (low, high) in ranges.items():
        halves = outputs[name][:12], outputs[name][12:]
        # The kernels are rounded by then, all else is not.
        spread = high - low
        assert low == pytest.approx(np.mean([min(0, half.min()) for half in halves]), abs=0.03 * spread)
        assert high == pytest.approx(np.mean([max(0, half.max()) for half in halves]), abs=0.03 * spread)


def test_training_moves_weights_and_ranges_and_leaves_relu_at_zero_and_statistics_as_they_were() -> None:
    model = nets.residual_v1()
    images = nets.images(model)
    _, network = quantized(model)
    network.observe([images])
    before, began = network.ranges(), network.weights()
    fit(network, images)
    after, ended = network.ranges(), network.weights()
    relus = [layer.name for layer in model.layers if "activation" in layer.name or "re_lu" in layer.name]
    assert relus
    assert all(after[name][0] == 0.0 for name in relus)
    assert all(before[name] != after[name] for name in before)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for kept in (2, 3):
                np.testing.assert_array_equal(began[layer.name][kept], ended[layer.name][kept])
            assert not np.array_equal(began[layer.name][0], ended[layer.name][0])
        elif isinstance(layer, keras.layers.Conv2D):
            assert not np.array_equal(began[layer.name][0], ended[layer.name][0])


def test_the_weights_are_those_of_the_network_until_it_is_trained() -> None:
    model = nets.mobile()
    _, network = quantized(model)
    weights = network.weights()
    assert set(weights) == {layer.name for layer in model.layers if layer.weights}
    for layer in model.layers:
        for ours, theirs in zip(weights.get(layer.name, ()), layer.get_weights(), strict=False):
            np.testing.assert_array_equal(ours, theirs)


def test_zeros_of_a_pruned_kernel_stay_zero_through_momentum_and_weight_decay() -> None:
    model = nets.residual_v1()
    sparse = model.layers[4]
    kernel = sparse.get_weights()[0]
    kernel[..., ::2] = np.where(np.abs(kernel[..., ::2]) < np.median(np.abs(kernel)), 0, kernel[..., ::2])
    sparse.set_weights([kernel])
    graph = flat_graph(model, model.input_shape[1:])
    network = to_tf_keras(graph)
    masks = masks_of(network)
    assert set(masks) == {sparse.name}
    quantized_network = fake_quantized(network, points_of(graph), masks)
    images = nets.images(model)
    quantized_network.observe([images])
    fit(quantized_network, images)
    after = quantized_network.weights()[sparse.name][0]
    np.testing.assert_array_equal(after == 0, kernel == 0)
    assert not np.array_equal(after, kernel)


def test_a_few_zeros_by_chance_are_no_pruning() -> None:
    model = nets.residual_v1()
    kernel = model.layers[1].get_weights()[0]
    kernel.flat[:3] = 0
    model.layers[1].set_weights([kernel])
    assert masks_of(to_tf_keras(flat_graph(model, model.input_shape[1:]))) == {}


def test_probabilities_are_trained_on_logits() -> None:
    model = nets.probabilities()
    graph, network = quantized(model)
    images = nets.images(model)
    network.observe([images])
    (dense,) = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    logits = activations(graph, [dense], images)[dense]
    outputs = network.model(images, training=False).numpy()
    assert np.abs(outputs - logits).max() < 0.1 * np.abs(logits).max()
    np.testing.assert_allclose(tf.nn.softmax(logits), model(images), atol=1e-6)


def test_a_frozen_layer_is_trained_like_all_others() -> None:
    model = nets.residual_v1()
    model.trainable = False
    _, network = quantized(model)
    assert len(network.model.trainable_variables) == sum(
        1 for layer in model.layers for weight in layer.weights if "moving" not in weight.path
    )
