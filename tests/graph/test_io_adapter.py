"""What apps want around a network, with the network's own answers behind it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.graph.io_adapter import BT601, BT601_INT8, Border, surround
from resnet_edge.graph.model import read_graph
from tests.formats import nets
from tests.graph.road import Road, litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def adapter_road(channels: int, folder: Path, preprocessing: str, divisor: float = 1) -> Road:
    image = keras.Input((9, 7, channels))
    x = layers.GlobalAveragePooling2D()(nets.conv(nets.conv(image, 6, activation="relu"), 6))
    model = nets.randomized(keras.Model(image, layers.Dense(5)(x)))
    pixels = np.random.default_rng(4).integers(0, 256, (16, 9, 7, channels))
    images = (pixels / divisor).astype(np.float32)
    return road(model, images, folder, output="logits", preprocessing=PRESETS[preprocessing])


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Road:
    return adapter_road(1, tmp_path_factory.mktemp("grey"), "unit")


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Road:
    return adapter_road(3, tmp_path_factory.mktemp("colour"), "unit")


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_one_score_becomes_those_of_both_classes(tmp_path: Path, scheme: str, activation: str | None) -> None:
    image = keras.Input((9, 7, 3))
    x = layers.GlobalAveragePooling2D()(nets.conv(image, 6, activation="relu"))
    model = nets.randomized(keras.Model(image, layers.Dense(1, activation)(x)))
    pixels = np.random.default_rng(4).integers(0, 256, (16, 9, 7, 3)).astype(np.float32)
    output = "logits" if activation is None else "probabilities"
    net = road(model, pixels, tmp_path, output=output, preprocessing=PRESETS["unit"])
    source, out = net.portable(scheme), tmp_path / "out.tflite"
    changes = surround(source, out, Border(sigmoid=activation is None, both=True))
    assert len(changes) == (2 if activation is None else 1)
    (scores,) = read_graph(out).specs(read_graph(out).outputs)
    assert (scores.name, scores.shape, scores.dtype) == ("probabilities", (1, 2), "float32")
    before = litert(source, pixels)
    second = before if activation else 1 / (1 + np.exp(-before))
    np.testing.assert_allclose(litert(out, pixels), np.hstack([1 - second, second]), atol=1e-6)


@pytest.mark.parametrize("scheme", ["fp32", "fp16", "dynamic", "int8"])
def test_grey_pixels_three_times_give_what_they_gave_once(grey: Road, tmp_path: Path, scheme: str) -> None:
    source, out = grey.portable(scheme), tmp_path / "out.tflite"
    changes = surround(
        source, out, Border(input="uint8" if scheme == "int8" else "float32", rgb=True, softmax=True)
    )
    assert len(changes) == (3 if scheme == "int8" else 2)
    graph = read_graph(out)
    (image,), (scores,) = graph.specs(graph.inputs), graph.specs(graph.outputs)
    assert (image.name, image.shape, scores.name) == ("image", (1, 9, 7, 3), "probabilities")
    assert image.dtype == ("uint8" if scheme == "int8" else "float32")
    before = litert(source, grey.images)
    after = litert(out, np.repeat(grey.images, 3, axis=-1).astype(image.dtype))
    assert len(np.unique(before)) > 20
    np.testing.assert_allclose(after, softmax(before), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_colours_become_grey_by_bt601(grey: Road, tmp_path: Path, scheme: str) -> None:
    """The network behind it gives for the colours what it gives for their grey, made here in float64 and,
    for int8, rounded."""
    source, out = grey.portable(scheme), tmp_path / "out.tflite"
    surround(source, out, Border(rgb=True) if scheme == "fp32" else Border(input="uint8", rgb=True))
    colours = np.random.default_rng(5).integers(0, 256, (16, 9, 7, 3))
    if scheme == "fp32":
        expected = colours.astype(np.float64) @ BT601.astype(np.float64)
    else:
        expected = np.rint((colours @ BT601_INT8.astype(int)) / 127)
    scores = litert(out, colours.astype("float32" if scheme == "fp32" else "uint8"))
    np.testing.assert_allclose(
        scores, litert(source, expected[..., None].astype(np.float32)), rtol=1e-5, atol=1e-5
    )


def test_no_grey_in_int8_is_a_level_away() -> None:
    apart = BT601_INT8.astype(np.float64) / 127 - BT601.astype(np.float64)
    assert 255 * max(apart[apart > 0].sum(), -apart[apart < 0].sum()) < 1
    assert BT601_INT8.sum() == 127
    assert BT601.sum() == 1


def test_three_channels_stay_three(colour: Road, tmp_path: Path) -> None:
    changes = surround(colour.portable("fp32"), tmp_path / "out.tflite", Border(rgb=True))
    assert changes == ()
    np.testing.assert_array_equal(
        litert(tmp_path / "out.tflite", colour.images), litert(colour.portable("fp32"), colour.images)
    )


def test_int8_at_both_ends_is_for_microcontrollers(colour: Road, tmp_path: Path) -> None:
    source, out = colour.portable("int8"), tmp_path / "out.tflite"
    surround(source, out, Border(input="int8", output="int8"))
    graph = read_graph(out)
    (image,), (scores,) = graph.specs(graph.inputs), graph.specs(graph.outputs)
    assert (image.dtype, image.quantization) == ("int8", Quantization((1.0,), (-128,)))
    assert scores.dtype == "int8"
    assert scores.quantization is not None
    stored = litert(out, (colour.images - 128).astype(np.int8)).astype(np.float32)
    real = (stored - scores.quantization.zero_point[0]) * np.float32(scores.quantization.scale[0])
    np.testing.assert_array_equal(real, litert(source, colour.images))


def test_a_float_file_has_no_integer_input(colour: Road, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not int8 has no uint8 input"):
        surround(colour.portable("fp32"), tmp_path / "out.tflite", Border(input="uint8"))


def test_an_input_that_is_no_pixels_is_refused(tmp_path: Path) -> None:
    """With `--preprocess none` the input has the range of the calibration images, not 0 to 255."""
    net = adapter_road(3, tmp_path, "none", divisor=255)
    with pytest.raises(ArtifactError, match="apps feed raw pixels"):
        surround(net.portable("int8"), tmp_path / "out.tflite", Border(input="uint8"))
