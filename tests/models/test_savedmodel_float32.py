"""SavedModels that compute in half floats, and such whose channels come first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.witness import check_reader
from resnet_edge.workers.progress import silent
from tests.models import nets, subclassed

pytestmark = [nets.KERAS_WARNINGS, pytest.mark.filterwarnings("ignore:.*np.object.*:FutureWarning")]


def _net(framework: Any, policy: str) -> Any:
    k = framework.layers
    image = framework.Input(subclassed.SHAPE)
    x = k.ReLU()(k.BatchNormalization(dtype=policy)(k.Conv2D(8, 3, padding="same", dtype=policy)(image)))
    x = k.Add(dtype=policy)([x, k.Conv2D(8, 3, padding="same", dtype=policy)(x)])
    x = k.GlobalAveragePooling2D(dtype=policy)(x)
    return framework.Model(image, k.Dense(4, dtype="float32")(x))


@pytest.mark.parametrize(("policy", "short"), [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")])
@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_it_is_read_as_float32(tmp_path: Path, framework: str, policy: str, short: str) -> None:
    module = pytest.importorskip(framework)
    model, folder = _net(module, policy), tmp_path / "net"
    if framework == "keras":
        model.export(folder, verbose=False)
    else:
        model.save(folder, save_format="tf")
    request = ModelRequest(str(folder), trust=True, preprocess="unit")
    opened = open_model(request, silent)
    assert opened.facts.read_as == (
        f"it computes in {short} and is read as float32: the variables are float32",
    )
    images = subclassed.images()
    graph = tf.function(opened.network).get_concrete_function(tf.TensorSpec((None, *subclassed.SHAPE))).graph
    inner = (
        [
            node.outputs[0].dtype
            for each in graph._functions.values()
            for node in each.graph.get_operations()
            if node.outputs
        ]
        if hasattr(graph, "_functions")
        else []
    )
    assert short not in {dtype.name for dtype in inner}
    wide = _net(module, "float32")
    wide.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.asarray(opened.network(images)), np.asarray(wide(images)), rtol=1e-4, atol=1e-5
    )
    check = check_reader(opened, request, images)
    assert 0 < check.difference <= check.allowed


def test_channels_that_come_first_are_turned(tmp_path: Path) -> None:
    image = keras.Input((3, 16, 12))
    x = keras.layers.Conv2D(4, 3, data_format="channels_first")(image)
    model = keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(x)))
    model.export(tmp_path / "net", verbose=False)
    request = ModelRequest(str(tmp_path / "net"), trust=True, preprocess="unit")
    opened = open_model(request, silent)
    images = subclassed.images()
    assert opened.facts.input_shape == (16, 12, 3)
    assert opened.facts.read_as[0].startswith("its channels come first")
    np.testing.assert_allclose(
        np.asarray(opened.network(images)),
        np.asarray(model(images.transpose(0, 3, 1, 2))),
        rtol=1e-4,
        atol=1e-5,
    )
    assert check_reader(opened, request, images).difference == 0
