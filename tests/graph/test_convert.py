"""Keras to the float portable graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError
from resnet_edge.core.preprocessing import PRESETS, Preprocessing
from resnet_edge.graph.convert import SIGNATURE, _converted, convert
from resnet_edge.graph.model import read_graph
from resnet_edge.models._opened import network_of
from tests.formats import nets
from tests.graph.road import litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SHAPE = (9, 8, 3)


def pixels(n: int = 6, shape: tuple[int, ...] = SHAPE) -> NDArray[np.float32]:
    return np.random.default_rng(2).integers(0, 256, (n, *shape)).astype(np.float32)


def prepared(images: NDArray[np.float32], how: Preprocessing) -> NDArray[np.float32]:
    """What `how` says, in numpy."""
    ordered = images[..., ::-1] if how.channels == "BGR" else images
    scale, offset = np.asarray(how.scale, np.float32), np.asarray(how.offset, np.float32)
    result: NDArray[np.float32] = ordered * scale + offset
    return result


def padding_network(shape: tuple[int, int, int] = SHAPE) -> keras.Model:
    """Zero padding right at the input: zeros of the network, not black pixels."""
    image = keras.Input(shape)
    x = layers.ZeroPadding2D(2)(image)
    x = nets.conv(nets.conv(x, 4, 5, strides=2, padding="valid", activation="relu"), 4)
    return nets.randomized(keras.Model(image, layers.Dense(5)(layers.Flatten()(x))))


CUSTOM = Preprocessing(name="mine", scale=(0.5, 0.01, 0.02), offset=(1.0, -2.0, 3.0), channels="BGR")
ONE_OFFSET = Preprocessing(name="mine", scale=(0.01, 0.02, 0.03), offset=(-1.0,))


@pytest.mark.parametrize("how", [*PRESETS.values(), CUSTOM, ONE_OFFSET], ids=lambda how: how.name)
def test_preprocessing_in_the_graph_is_that_of_numpy(how: Preprocessing, tmp_path: Path) -> None:
    model, images = padding_network(), pixels()
    convert(network_of(model), model, how, SHAPE, "logits", tmp_path / "a.tflite")
    wanted = model(prepared(images, how) if how.where == "graph" else images).numpy()
    outputs = litert(tmp_path / "a.tflite", images)
    np.testing.assert_allclose(outputs, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_the_short_way_through_the_converter_gives_the_bytes_of_the_public_one(tmp_path: Path) -> None:
    model = padding_network()
    module, serve = tf.Module(), tf.function(model, input_signature=[tf.TensorSpec((1, *SHAPE))])
    module.held = [variable.value for variable in model.variables]
    tf.saved_model.save(module, str(tmp_path), signatures={SIGNATURE: serve.get_concrete_function()})
    public = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path), signature_keys=[SIGNATURE])
    public.exclude_conversion_metadata = True
    assert _converted(str(tmp_path), module) == public.convert()


@pytest.mark.parametrize("name", ["unit", "symmetric"])
def test_preprocessing_of_one_channel(name: str, tmp_path: Path) -> None:
    shape = (9, 8, 1)
    model, images = padding_network(shape), pixels(shape=shape)
    convert(network_of(model), model, PRESETS[name], shape, "logits", tmp_path / "a.tflite")
    wanted = model(prepared(images, PRESETS[name])).numpy()
    np.testing.assert_allclose(
        litert(tmp_path / "a.tflite", images), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max()
    )


def test_preprocessing_of_other_channels_is_refused(tmp_path: Path) -> None:
    model = padding_network((9, 8, 1))
    with pytest.raises(ModelError, match="'imagenet' has 3 values, and the model has 1 channels"):
        convert(network_of(model), model, PRESETS["imagenet"], (9, 8, 1), "logits", tmp_path / "a.tflite")


@pytest.mark.parametrize("dynamic", [False, True])
def test_border_has_the_names_and_the_batch_asked_for(dynamic: bool, tmp_path: Path) -> None:
    model = padding_network()
    out = tmp_path / "a.tflite"
    convert(network_of(model), model, PRESETS["unit"], SHAPE, "logits", out, dynamic_batch=dynamic)
    graph = read_graph(out)
    (image,), (logits,) = graph.specs(graph.inputs), graph.specs(graph.outputs)
    batch = None if dynamic else 1
    assert (image.name, image.shape, image.dtype) == ("image", (batch, *SHAPE), "float32")
    assert (logits.name, logits.shape, logits.dtype) == ("logits", (batch, 5), "float32")
    if dynamic:
        np.testing.assert_allclose(litert(out, pixels(), 3), litert(out, pixels()), rtol=1e-5, atol=1e-4)


class Eigen(layers.Layer):
    """Needs an operation that TFLite does not have built in."""

    def call(self, images: Any) -> Any:
        square = tf.reduce_mean(images, axis=3)[:, :8, :8]
        return tf.linalg.eigvalsh(square + tf.transpose(square, [0, 2, 1]))


def test_operation_that_is_not_built_in_is_refused_by_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    image = keras.Input(SHAPE)
    model = keras.Model(image, layers.Dense(5)(Eigen()(image)))
    with pytest.raises(ModelError, match="SelfAdjointEigV2") as caught:
        convert(network_of(model), model, PRESETS["none"], SHAPE, "logits", tmp_path / "a.tflite")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.tflite").exists()
    assert capfd.readouterr().out == ""


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = layers.Conv2D(4, 3, activation="relu")
        self.pool = layers.GlobalAveragePooling2D()
        self.dense = layers.Dense(5)

    def call(self, images: Any, training: bool = False) -> Any:
        return self.dense(self.pool(self.convolution(images)))


def test_subclassed_model_goes_through(tmp_path: Path) -> None:
    model = Subclassed()
    model(np.zeros((1, *SHAPE), np.float32))
    net = road(nets.randomized(model), pixels() / np.float32(255), tmp_path)
    np.testing.assert_allclose(litert(net.float_graph, net.images), net.reference, rtol=0, atol=1e-5)


def test_saved_model_goes_through(tmp_path: Path) -> None:
    """A loaded SavedModel is no keras.Model: a trackable with a signature."""
    model = padding_network()
    model.export(str(tmp_path / "saved"), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    images = pixels() / 255
    convert(loaded.serve, loaded, PRESETS["none"], SHAPE, "logits", tmp_path / "a.tflite")
    np.testing.assert_allclose(
        litert(tmp_path / "a.tflite", images), model(images).numpy(), rtol=0, atol=1e-5
    )


def test_converter_prints_nothing_on_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = padding_network()
    capfd.readouterr()
    convert(network_of(model), model, PRESETS["unit"], SHAPE, "logits", tmp_path / "a.tflite")
    assert capfd.readouterr().out == ""


def test_graph_of_two_outputs_is_refused(tmp_path: Path) -> None:
    def network(images: Any) -> Any:
        return {"a": tf.reduce_mean(images, [1, 2]), "b": tf.reduce_max(images, [1, 2])}

    with pytest.raises((ModelError, ValueError)):
        convert(network, tf.Module(), PRESETS["none"], SHAPE, "logits", tmp_path / "a.tflite")
