"""Operations of Keras as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from resnet_edge.models.functional.standard_layers import Standards
from resnet_edge.models.functional.symbolic import NoGraph
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

SHAPE = (8, 6, 4)


def _standard(call: Callable[[Any], Any]) -> Any:
    image = keras.Input(SHAPE)
    output = call(image)
    history = output._keras_history
    node = history.operation._inbound_nodes[history.node_index]
    return Standards().of(node.operation, node.arguments.args, node.arguments.kwargs, output)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda x: x + x, layers.Add),
        (lambda x: x / 255.0, layers.Rescaling),
        (lambda x: 1.0 - x, layers.Rescaling),
        (lambda x: x - np.array([1.0, 2.0, 3.0, 4.0], "float32"), layers.Rescaling),
        (ops.relu, layers.ReLU),
        (lambda x: keras.activations.relu(x, max_value=6), layers.ReLU),
        (lambda x: ops.mean(x, (1, 2)), layers.GlobalAveragePooling2D),
        (lambda x: ops.mean(x, (-3, -2), keepdims=True), layers.GlobalAveragePooling2D),
        (lambda x: ops.max(x, (2, 1)), layers.GlobalMaxPooling2D),
        (lambda x: ops.reshape(x, (-1, 192)), layers.Flatten),
        (lambda x: ops.transpose(x, (0, 3, 1, 2)), layers.Permute),
        (lambda x: ops.concatenate([x, x]), layers.Concatenate),
        (lambda x: ops.pad(x, ((0, 0), (1, 1), (2, 0), (0, 0))), layers.ZeroPadding2D),
        (lambda x: ops.cast(x, "float16"), type(None)),
    ],
)
def test_what_a_layer_computes_is_a_layer(call: Callable[[Any], Any], kind: type) -> None:
    assert type(_standard(call).operation) is kind


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.mean(x, (1, 3)),  # over channels
        lambda x: ops.reshape(x, (-1, 4)),  # images become rows
        lambda x: ops.transpose(x, (1, 0, 2, 3)),
        lambda x: ops.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)), mode="reflect"),
        lambda x: ops.pad(x, ((0, 0), (0, 0), (0, 0), (1, 0))),
        lambda x: 1.0 / x,
        lambda x: x * np.ones((8, 6, 4), "float32"),
        lambda x: ops.gelu(x, approximate=True),
    ],
)
def test_what_no_layer_computes_stays_an_operation(call: Callable[[Any], Any]) -> None:
    operation = _standard(call).operation
    assert type(operation).__module__.startswith("keras.src.ops")
    assert not isinstance(operation, keras.Layer)


def test_weights_become_those_of_a_layer() -> None:
    kernel = keras.Variable(np.random.default_rng(0).random((3, 3, 4, 6), np.float32))
    layer = _standard(lambda x: ops.conv(x, kernel, padding="same", strides=2)).operation
    assert type(layer) is layers.Conv2D
    assert layer.strides == (2, 2)
    np.testing.assert_array_equal(layer.get_weights()[0], np.asarray(kernel))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.matmul(keras.Variable(np.ones((5, 6))), x),  # from the other side
        lambda x: ops.add(x, keras.Variable(np.ones((8, 6, 4)))),  # one for each pixel
        lambda x: ops.maximum(x, keras.Variable(np.ones(4))),
    ],
)
def test_weights_that_no_layer_has_are_refused(call: Callable[[Any], Any]) -> None:
    with pytest.raises(NoGraph, match="the weights .* stand in the operation"):
        _standard(call)
