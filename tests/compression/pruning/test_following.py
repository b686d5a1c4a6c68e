"""Tests of what keeps channels in their place: it is named, and no other channel stays for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers

from resnet_edge.compression.pruning.following import followed
from resnet_edge.models.functional.flat import flat_graph
from tests.compression.pruning import nets


def test_channels_keep_their_numbers_until_a_layer_makes_others() -> None:
    graph = flat_graph(nets.dense(), nets.SHAPE)
    tensors = followed(graph).tensors
    by_name = {call.name: tensors[call.output].tolist() for call in graph.calls}
    assert by_name["a_pre_relu"] == by_name["stem"]
    assert by_name["a_concat"] == by_name["stem"] + by_name["a"]
    assert by_name["half"] == by_name["b_concat"] == by_name["a_concat"] + by_name["b"]
    assert not {*by_name["last"]} & {*by_name["half"]}


def test_what_is_added_bears_one_number() -> None:
    graph = flat_graph(nets.residual(), nets.SHAPE)
    result = followed(graph)
    by_name = {call.name: call.output for call in graph.calls}
    tensors = {name: result.tensors[output].tolist() for name, output in by_name.items()}
    assert tensors["a2"] == tensors["stem"] == tensors["a"]
    assert result.joined == {by_name["a_add"], by_name["b_add"]}
    assert result.reasons[0] == (graph.output, "its channels are the network's output")


# What the middle of a network may hold that cannot be pruned, and the word that tells it.
OBSTACLES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "grouped": (lambda x: nets.conv(x, 8, "odd", groups=2), "odd (Conv2D) convolves in 2 groups"),
    "reshaped": (lambda x: layers.Reshape((12, 24, 4), name="odd")(x), "odd (Reshape) tears the channels"),
    "widened": (
        lambda x: layers.Multiply(name="odd")([x, layers.Flatten()(nets.conv(x, 8, "wide"))[:, :8]]),
        "odd (Multiply)",
    ),
    "sigmoid": (lambda x: layers.Activation("sigmoid", name="odd")(x), "sigmoid, which is not 0 at 0"),
    "softmax": (lambda x: layers.Activation("softmax", name="odd")(x), "mixes the channels"),
    "constant": (lambda x: x + 1.0, "adds a constant"),
    "constant layer": (
        lambda x: layers.Add(name="odd")([x, keras.ops.ones((1, 12, 12, 8))]),
        "adds a constant",
    ),
    "offset": (lambda x: layers.Rescaling(1.0, 0.5, name="odd")(x), "adds an offset"),
    "sliced": (lambda x: x[:, :, :, ::-1], "(GetItem) is of no known kind"),
    "per channel": (lambda x: x * keras.ops.ones((8,)), "multiplies by more than a number"),
    "gate": (
        lambda x: layers.Multiply(name="odd")([layers.Activation("sigmoid", name="gate")(x), 2.0 + x]),
        "gate (Activation) ends in sigmoid, which is not 0 at 0",
    ),
    "broadcast": (
        lambda x: layers.Add(name="odd")([nets.conv(x, 1, "one"), x]),
        "odd (Add) adds tensors of different shapes",
    ),
    "depth multiplier": (
        lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2, name="odd")(x),
        "makes 2 channels of each",
    ),
    "normalized rows": (lambda x: layers.BatchNormalization(axis=1, name="odd")(x), "normalizes axis 1"),
    "layer normalization": (lambda x: layers.LayerNormalization(name="odd")(x), "over channels"),
    "one slope": (lambda x: layers.PReLU(shared_axes=[1, 2, 3], name="odd")(x), "shares its slope"),
    "own class": (lambda x: _Own(8, 1, name="odd")(x), "odd (_Own) is of no known kind"),
}


class _Own(layers.Conv2D):
    """A user's class: whatever it computes, it is not taken for its parent."""


@pytest.mark.parametrize("name", OBSTACLES)
def test_a_set_that_meets_the_unknown_stays_whole_and_the_rest_is_pruned(name: str) -> None:
    middle, words = OBSTACLES[name]
    image = keras.Input(nets.SHAPE)
    x = nets.conv(nets.conv(image, 8, "free"), 8, "before")
    x = nets.conv(middle(x), 8, "after")
    channels = nets.mapped(nets.finished(image, x, "odd_net"))
    assert {"free", "after"} <= {g.name for g in channels.prunable}
    reason = channels.group("before").reason
    assert reason is not None
    assert words in reason
