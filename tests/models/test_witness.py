"""Tests that a reader which is wrong is noticed: the bundled model in four kinds of file, and what has no
second loader."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, bundled
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.witness import IMAGES, check_reader
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

FILES = ["m.keras", "keras3.h5", "keras2.h5", "saved_model"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled ResNet-20 as every kind of file."""
    from resnet_edge.compression.tfmot.bridge import to_tf_keras

    root = tmp_path_factory.mktemp("bundled")
    model = keras.models.load_model(bundled(MODEL_FILE), compile=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(root / "m.keras")
        model.save(root / "keras3.h5")
        to_tf_keras(flat_graph(model, (28, 28, 1))).save(root / "keras2.h5")
        model.export(root / "saved_model", verbose=False)
    return root


@pytest.fixture(scope="module")
def pixels() -> Any:
    return np.load(bundled(CALIBRATION_FILE))["images"][:IMAGES].astype(np.float32)


def _request(folder: Path, file: str) -> ModelRequest:
    return ModelRequest(str(folder / file), trust=True, preprocess="none")


@pytest.mark.parametrize("file", FILES)
def test_a_reader_that_is_right_is_upheld(folder: Path, pixels: Any, file: str) -> None:
    request = _request(folder, file)
    check = check_reader(open_model(request, silent), request, pixels)
    assert (check.images, check.missing, check.note) == (IMAGES, "", "")
    assert check.loader.startswith(
        {"keras2.h5": "tf_keras 2.", "saved_model": "TensorFlow 2."}.get(file, "Keras 3.")
    )
    assert check.difference <= check.allowed


def _variables(opened: OpenedModel) -> list[Any]:
    if isinstance(opened.trackable, keras.Model):
        return list(opened.trackable.variables)
    return list(opened.trackable.signatures["serving_default"].variables)


def _scale_a_channel(opened: OpenedModel) -> OpenedModel:
    """One of 16 channels in the middle, by 5 %."""
    kernel = [v for v in _variables(opened) if len(v.shape) == 4][6]
    values = np.array(kernel)
    values[..., 3] *= 1.05
    kernel.assign(values)
    return opened


def _forget_statistics(opened: OpenedModel) -> OpenedModel:
    for variable in _variables(opened)[:40]:
        if "moving_mean" in str(getattr(variable, "path", variable.name)):
            variable.assign(np.zeros(variable.shape, np.float32))
    return opened


def _round_weights(opened: OpenedModel) -> OpenedModel:
    """To float16, which changes no answer."""
    for variable in _variables(opened):
        if str(variable.dtype).find("float32") >= 0:
            variable.assign(np.array(variable).astype(np.float16).astype(np.float32))
    return opened


def _swap_classes(opened: OpenedModel) -> OpenedModel:
    import tensorflow as tf

    network = opened.network
    return replace(opened, network=lambda images: tf.reverse(network(images), [1]))


@pytest.mark.parametrize(
    "wrong",
    [_scale_a_channel, _round_weights, pytest.param(_forget_statistics, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.slow
def test_a_reader_that_is_wrong_is_noticed(
    folder: Path, pixels: Any, file: str, wrong: Callable[[OpenedModel], OpenedModel]
) -> None:
    request = _request(folder, file)
    altered = wrong(open_model(request, silent))
    with pytest.raises(ModelError, match=r"is read wrongly: .* the first (layer|variable) "):
        check_reader(altered, request, pixels)


def test_the_layer_is_named(folder: Path, pixels: Any) -> None:
    for file in ("m.keras", "keras2.h5"):
        request = _request(folder, file)
        opened = open_model(request, silent)
        layer = [each for each in opened.trackable.layers if hasattr(each, "kernel")][6]
        layer.kernel.assign(1.05 * layer.kernel)
        with pytest.raises(ModelError, match=f"the first layer whose outputs differ is {layer.name}:"):
            check_reader(opened, request, pixels)


@pytest.mark.parametrize("file", FILES)
def test_what_is_wrong_behind_the_layers_is_noticed(folder: Path, pixels: Any, file: str) -> None:
    request = _request(folder, file)
    opened = _swap_classes(open_model(request, silent))
    with pytest.raises(ModelError, match="no layer differs|all of its variables are the same"):
        check_reader(opened, request, pixels)


def test_statistics_that_the_reader_forgot_in_a_nested_model_are_noticed(tmp_path: Path) -> None:
    """What Keras 3.15's own .h5 loader does to an adapted Normalization inside a model."""
    inner, image = keras.Input(nets.SHAPE), keras.Input(nets.SHAPE)
    adapted = layers.Normalization()
    adapted.adapt(40 + 120 * nets.images())
    body = keras.Model(inner, adapted(inner), name="prepare")
    path = nets.save_h5(keras.Model(image, nets.head(nets.trunk()(body(image)))), tmp_path / "m.h5")
    request = ModelRequest(str(path), preprocess="none")
    opened = open_model(request, silent)
    images = 40 + 120 * nets.images()
    assert not check_reader(opened, request, images).missing
    forgetful = keras.models.load_model(path, compile=False)
    altered = replace(opened, network=lambda x: forgetful(x, training=False), trackable=forgetful)
    with pytest.raises(
        ModelError, match=r"read wrongly.* the first layer whose outputs differ is normalization"
    ):
        check_reader(altered, request, images)


def test_a_saturated_softmax_hides_nothing(tmp_path: Path) -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, nets.head(nets.trunk()(image), activation="softmax"))
    head = model.get_layer("head")
    head.set_weights([20 * np.ones_like(head.get_weights()[0]) * np.arange(4), np.zeros(4)])
    model.save(tmp_path / "m.keras")
    request = ModelRequest(str(tmp_path / "m.keras"), preprocess="none")
    opened = open_model(request, silent)
    opened.trackable.get_layer("head").bias.assign([0, 0.5, 0, 0])
    with pytest.raises(ModelError, match="differ is head"):
        check_reader(opened, request, nets.images())


def test_a_saturated_sigmoid_is_judged_by_what_float32_holds_of_it(tmp_path: Path) -> None:
    """A unit in the last place near 1 is a hundredth of the logit there, and no reader is wrong for that."""
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, nets.head(nets.trunk()(image), 1, "sigmoid"))
    means = np.asarray(keras.Model(image, model.get_layer("pool").output)(nets.images()))
    model.get_layer("head").set_weights([12 * np.ones((6, 1)) / means.sum(axis=1).mean(), np.zeros(1)])
    model.save(tmp_path / "m.keras")
    request = ModelRequest(str(tmp_path / "m.keras"), preprocess="none")
    opened = open_model(request, silent)

    def off(images: Any) -> Any:
        return np.nextafter(np.asarray(opened.network(images)), np.float32(0))

    check = check_reader(replace(opened, network=off), request, nets.images())
    assert check.difference > 1e-4
    opened.trackable.get_layer("head").bias.assign([-0.5])
    with pytest.raises(ModelError, match="read wrongly"):
        check_reader(opened, request, nets.images())


def test_mixed_precision_is_compared_in_float32(tmp_path: Path) -> None:
    """Half floats would hide what is small: both readers compute in float32."""
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(8, 3, dtype="mixed_bfloat16", name="conv")(image)
    x = layers.Conv2D(8, 3, dtype="mixed_bfloat16", name="more")(layers.ReLU()(x))
    model = keras.Model(image, nets.head(layers.Activation("linear", dtype="float32")(x)))
    model.save(tmp_path / "m.keras")
    request = ModelRequest(str(tmp_path / "m.keras"), preprocess="none")
    opened = open_model(request, silent)
    check = check_reader(opened, request, nets.images())
    assert check.difference <= check.allowed < 1e-4
    opened.trackable.get_layer("more").bias.assign(np.full(8, 1e-3))
    with pytest.raises(ModelError, match="differ is more"):
        check_reader(opened, request, nets.images())


def test_a_network_that_is_no_file_is_its_own_witness() -> None:
    request = ModelRequest("resnet8", input_shape=(16, 16, 3))
    check = check_reader(open_model(request, silent), request, nets.images())
    assert (check.loader, check.missing, check.note) == ("", "", "")


def test_without_tf_keras_that_is_said(folder: Path, pixels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request = _request(folder, "keras2.h5")
    opened = open_model(request, silent)
    monkeypatch.setitem(sys.modules, "tf_keras", None)  # as where it is not installed
    check = check_reader(opened, request, pixels)
    assert check.note == (
        "the reference has no second witness: tf_keras, which reads files of Keras 2, is not installed "
        "(pip install tf_keras)"
    )


def test_where_the_other_loader_cannot_read_it_that_is_said(
    folder: Path, pixels: Any, tmp_path: Path
) -> None:
    import h5py

    path = tmp_path / "m.h5"
    path.write_bytes((folder / "keras2.h5").read_bytes())
    request = ModelRequest(str(path), preprocess="none")
    opened = open_model(request, silent)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][2]["class_name"] = "Permute"  # built in, and of other arguments
        file.attrs["model_config"] = json.dumps(config)
    assert "tf_keras" in check_reader(opened, request, pixels).note
