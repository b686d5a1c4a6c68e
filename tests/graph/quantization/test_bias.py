from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.bias import corrected
from resnet_edge.graph.quantization.calibrate import measure
from resnet_edge.graph.quantization.weighted import Layer, layers, write_constants
from tests.formats import nets
from tests.graph.road import litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_mean_output_is_what_it_was() -> None:
    random = np.random.default_rng(0)
    rows, bias = random.normal(size=(4, 6)).astype(np.float32), random.normal(size=4).astype(np.float32)
    one = Layer(index=0, op="FULLY_CONNECTED", source="in", output="out", kernel=rows, bias=bias, options={})
    inputs = random.uniform(0, 1, (500, 6))
    coarse = np.rint(rows * 2) / 2
    fitted = corrected(one, coarse, inputs.mean(axis=0))
    assert fitted is not None
    before, plain, after = (
        w @ inputs.T + b[:, None] for w, b in ((rows, bias), (coarse, bias), (coarse, fitted))
    )
    np.testing.assert_allclose(after.mean(axis=1), before.mean(axis=1), atol=1e-6)
    assert np.abs(plain.mean(axis=1) - before.mean(axis=1)).max() > 0.01


def test_depthwise_channels_are_corrected_each_with_its_own_mean(tmp_path: Path) -> None:
    import keras
    from keras import layers as keras_layers

    image = keras.Input((6, 5, 3))
    x = keras_layers.DepthwiseConv2D(3, padding="same")(image)
    model = nets.randomized(keras.Model(image, keras_layers.GlobalAveragePooling2D()(x)))
    net = road(model, nets.images(model) + np.float32(1), tmp_path)
    images = (image[None] for image in net.images)
    measured = measure(
        net.float_graph, images, takes_pixels=False, threads=1, second_moments=lambda one: False, count=24
    )
    (one,) = layers(read_graph(net.float_graph))
    coarse = np.rint(one.rows * 4) / 4
    fitted = corrected(one, coarse, measured.moments[one.index].mean)
    assert fitted is not None
    errors = []
    for bias in (one.bias, fitted):
        constants = {(one.index, 1): one.kernel_of(coarse), (one.index, 2): bias}
        write_constants(net.float_graph, constants, tmp_path / "out.tflite")  # type: ignore[arg-type]  # corrected() gives a bias where there is one
        errors.append(np.abs((litert(tmp_path / "out.tflite", net.images) - net.reference).mean(axis=0)))
    assert errors[1].max() < errors[0].max() / 4, "as many positions as there are, drawn with some twice"


def test_layer_without_a_bias_has_nothing_to_correct() -> None:
    one = Layer(
        index=0,
        op="FULLY_CONNECTED",
        source="in",
        output="out",
        kernel=np.ones((2, 2), np.float32),
        bias=None,
        options={},
    )
    assert corrected(one, one.rows, np.ones(2)) is None
