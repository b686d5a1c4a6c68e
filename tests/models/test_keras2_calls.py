"""TensorFlow functions that Keras 2 stored as layers, beside what they compute."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models._keras2_calls import FUNCTIONS, call
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
X = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)


def computed(function: str, **arguments: Any) -> Any:
    image = keras.Input(X.shape[1:])
    return keras.Model(image, call({"config": {"function": function}}, image, arguments, "net.h5"))(X)


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("math.truediv", {"y": 4}, X / 4),
        ("math.divide", {"y": 4.0, "name": "scaled"}, X / 4),
        ("math.multiply", {"y": -2.0}, -2 * X),
        ("math.multiply", {"y": 0}, 0 * X),
        ("math.subtract", {"y": 0.5}, X - 0.5),
        ("__operators__.add", {"y": 0.5}, X + 0.5),
        ("nn.relu", {}, np.maximum(X, 0)),
        ("nn.bias_add", {"bias": [1.0, 2.0, 3.0], "data_format": "NHWC"}, X + np.array([1, 2, 3])),
        (
            "__operators__.getitem",
            {"slice_spec": [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]},
            X[..., ::-1],
        ),
        ("cast", {"dtype": "float32"}, X),
        ("identity", {"name": None}, X),
    ],
)
def test_what_is_rebuilt_computes_the_same(function: str, arguments: dict[str, Any], expected: Any) -> None:
    assert function in FUNCTIONS
    np.testing.assert_allclose(computed(function, **arguments), expected, rtol=1e-6, atol=1e-7)


def test_two_tensors_may_be_added_and_multiplied() -> None:
    image = keras.Input(X.shape[1:])
    for function, expected in (("math.add", X + X), ("math.multiply", X * X), ("math.subtract", 0 * X)):
        model = keras.Model(image, call({"config": {"function": function}}, image, {"y": image}, "net.h5"))
        np.testing.assert_allclose(model(X), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("io.read_file", {}),
        ("math.truediv", {"y": 0}),
        ("math.truediv", {"y": True}),
        ("math.multiply", {"y": 2.0, "more": 1}),
        ("nn.bias_add", {"bias": [1.0], "data_format": "NCHW"}),
        ("__operators__.getitem", {"slice_spec": [{"start": 0, "stop": 1, "step": 1}]}),
        ("cast", {"dtype": "float16"}),
        ("nn.softmax", {"axis": 1}),
    ],
)
def test_every_other_function_and_argument_is_refused_by_name(
    function: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match=f"net.h5 calls the TensorFlow function {function} as a layer"):
        computed(function, **arguments)
