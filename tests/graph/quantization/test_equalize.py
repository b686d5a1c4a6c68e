"""Equalization is exact: the float network stays the same."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as keras_layers

from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import Measured, measure
from resnet_edge.graph.quantization.equalize import LARGEST, Equalization, equalize
from resnet_edge.graph.quantization.weighted import write_constants
from tests.formats import nets
from tests.graph.road import Road, litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def measured(net: Road, float_graph: Path | None = None) -> Measured:
    images = (image[None] for image in net.images)
    return measure(float_graph or net.float_graph, images, takes_pixels=net.takes_pixels, threads=1)


def equalized(net: Road, untouchable: frozenset[str] = frozenset()) -> Equalization:
    return equalize(read_graph(net.float_graph), measured(net), untouchable)


EXACT = {
    nets.preactivation_v2: 3,
    nets.mobile: 1,
    nets.padded_twice: 1,
    nets.squeeze_excite: 0,
    nets.grouped: 0,
    nets.dense_on_image: 0,
}


def check_exact(net: Road, least: int, folder: Path) -> None:
    equal = equalized(net)
    assert len(equal.scales) >= least
    write_constants(net.float_graph, equal.constants, folder / "equal.tflite")
    before, after = litert(net.float_graph, net.images), litert(folder / "equal.tflite", net.images)
    np.testing.assert_allclose(after, before, atol=2e-5 * max(1, np.abs(before).max()))
    assert any("it is the input" in reason for reason in equal.skipped)


def test_float_outputs_of_a_resnet_stay_the_same(residual: Road, tmp_path: Path) -> None:
    check_exact(residual, 5, tmp_path)


@pytest.mark.parametrize(("net", "least"), EXACT.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_float_outputs_stay_the_same(net: nets.Net, least: int, tmp_path: Path) -> None:
    model = net()
    check_exact(road(model, nets.images(model), tmp_path), least, tmp_path)


def test_what_activations_are_then_like_is_known_without_another_pass(residual: Road, tmp_path: Path) -> None:
    equal = equalized(residual)
    assert equal.scales
    write_constants(residual.float_graph, equal.constants, tmp_path / "equal.tflite")
    planned = measured(residual).scaled(equal.scales)
    truth = measured(residual, tmp_path / "equal.tflite")
    for name, one in truth.activations.items():
        np.testing.assert_allclose(
            planned.activations[name].low * planned.activations[name].scales, one.low, atol=1e-4
        )
        np.testing.assert_allclose(planned.activations[name].limits, one.limits, atol=1e-4)


def test_channels_come_closer_and_no_tensor_grows(residual: Road) -> None:
    equal, before = equalized(residual), measured(residual)
    after = before.scaled(equal.scales)
    for name, scales in equal.scales.items():
        assert scales.min() >= 1
        assert scales.max() <= LARGEST
        old, new = before.activations[name].magnitude, after.activations[name].magnitude
        assert new.max() <= old.max() * 1.0001
        assert (new / new.max()).mean() > (old / old.max()).mean()


def test_tensors_that_additions_join_have_the_same_factors(residual: Road) -> None:
    graph, equal = read_graph(residual.float_graph), equalized(residual)
    additions = [node for node in graph.nodes if node.op == "ADD"]
    assert additions
    for node in additions:
        names = [graph.tensors[i].name for i in (*node.inputs, *node.outputs)]
        for name in names:
            np.testing.assert_array_equal(equal.scales[name], equal.scales[names[0]])


def test_group_with_a_fixed_range_is_left_alone(residual: Road) -> None:
    free = equalized(residual)
    name = next(iter(free.scales))
    equal = equalized(residual, frozenset({name}))
    assert name not in equal.scales
    assert any("its range is fixed" in reason for reason in equal.skipped)


def reasons(tmp_path: Path, between: keras.layers.Layer) -> str:
    image = keras.Input((6, 6, 3))
    x = between(keras_layers.Conv2D(4, 3, padding="same")(image))
    x = keras_layers.GlobalAveragePooling2D()(keras_layers.Conv2D(4, 3)(x))
    model = nets.randomized(keras.Model(image, keras_layers.Dense(3)(x)))
    return "\n".join(equalized(road(model, nets.images(model), tmp_path)).skipped)


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (keras_layers.ReLU(max_value=6), "activation with an upper bound"),
        (keras_layers.Activation("sigmoid"), "LOGISTIC does not keep a factor"),
    ],
)
def test_what_is_not_positively_homogeneous_is_skipped_with_the_reason(
    between: keras.layers.Layer, reason: str, tmp_path: Path
) -> None:
    assert reason in reasons(tmp_path, between)


def test_channel_that_is_always_zero_keeps_its_weights(tmp_path: Path) -> None:
    image = keras.Input((4, 4, 1))
    x = keras_layers.Conv2D(3, 1, activation="relu")(image)
    x = keras_layers.GlobalAveragePooling2D()(keras_layers.Conv2D(2, 1)(x))
    model = nets.randomized(keras.Model(image, keras_layers.Dense(3)(x)))
    conv = model.layers[1]
    conv.set_weights([np.array([[[[1.0, 0.1, 0.0]]]]), np.array([0, 0, -1.0])])
    net = road(model, nets.images(model), tmp_path)
    equal = equalized(net)
    name = next(n for n, s in equal.scales.items() if len(s) == 3)
    assert equal.scales[name][2] == 1
    assert equal.scales[name][1] == pytest.approx(10**0.5, rel=1e-5)
    assert np.isfinite(np.concatenate([c.ravel() for c in equal.constants.values()])).all()
