"""Where blocks have their strides and activations."""

from __future__ import annotations

import keras
import pytest

from tests.models import nets
from tests.zoo.built import built

pytestmark = nets.KERAS_WARNINGS


@pytest.mark.parametrize(
    ("name", "strided"), [("resnet50", (1, 1)), ("resnet50-v1.5", (3, 3)), ("resnet50-v2", (3, 3))]
)
def test_where_the_stride_of_a_bottleneck_is(name: str, strided: tuple[int, int]) -> None:
    on_the_path = [
        layer.kernel_size
        for layer in built(name).layers
        if isinstance(layer, keras.layers.Conv2D) and layer.strides == (2, 2) and "_conv" in layer.name
    ]
    assert on_the_path == [strided] * 3


def test_v2_ends_in_an_activation_and_has_none_behind_an_addition() -> None:
    model = built("resnet18-v2")
    assert isinstance(model.get_layer("pool").input._keras_history.operation, keras.layers.ReLU)
    sums = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    followers = [node.operation for layer in sums for node in layer._outbound_nodes]
    assert len(sums) == 8
    assert not any(isinstance(follower, keras.layers.ReLU) for follower in followers)
