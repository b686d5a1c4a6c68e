"""Tests that a network without a residual branch is the network with zeros from that branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.activations.activations import ReLU as ReluFunction

from resnet_edge import zoo
from resnet_edge.compression.pruning import Selection
from resnet_edge.compression.pruning.blocks import blocks, check_any, removable, without
from resnet_edge.compression.pruning.cost import cost, summary
from resnet_edge.compression.pruning.groups import channel_map
from resnet_edge.compression.pruning.slicing import sliced
from resnet_edge.core.errors import ModelError
from resnet_edge.models._macs import MacCounter
from resnet_edge.models.functional.flat import FlatGraph, copied, copy_weights, flat_graph, rebuild
from tests.compression.pruning import nets
from tests.compression.pruning.masking import masked
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS

SMALL = (32, 32, 3)
NOISE = 2e-5
"""Of the largest output: what is left computes the same operations on the same numbers."""


def built(graph: FlatGraph) -> keras.Model:
    model = rebuild(graph, copied)
    copy_weights(graph, model)
    return model


def silenced(graph: FlatGraph, names: tuple[str, ...]) -> keras.Model:
    """The full network in which the last weights of these branches are zero."""
    model = built(graph)
    for block in blocks(graph):
        if block.name in names:
            holders = [layer for layer in model.layers if layer.name in block.branch and layer.weights]
            values = holders[-1].get_weights()
            kept = 2 if isinstance(holders[-1], layers.BatchNormalization) else len(values)
            holders[-1].set_weights([np.zeros_like(v) for v in values[:kept]] + values[kept:])
    return model


def proved(graph: FlatGraph, names: tuple[str, ...]) -> FlatGraph:
    """The graph without `names`, when it computes what the silenced network does."""
    smaller, batch = without(graph, names), nets.images(graph.shape)
    wanted = nets.outputs(silenced(graph, names), batch)
    outputs = nets.outputs(built(smaller), batch)
    whole = nets.outputs(built(graph), batch)
    assert np.abs(outputs - wanted).max() <= NOISE * np.abs(wanted).max()
    assert np.abs(outputs - whole).max() > 100 * NOISE * np.abs(whole).max()
    return smaller


def graph_of(model: keras.Model, shape: tuple[int, int, int] = nets.SHAPE) -> FlatGraph:
    return flat_graph(nets.alive(model), shape)


def names_of(graph: FlatGraph) -> tuple[str, ...]:
    return tuple(block.name for block in removable(graph))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (nets.residual, ("a_add",)),
        (nets.preactivated, ("a_add", "b_add")),
        (nets.nested, ("trunk_add",)),
        (nets.operators, 1),
    ],
)
def test_removed_is_silenced_on_small_networks(build: Callable[[], keras.Model], expected: Any) -> None:
    graph = flat_graph(build(), nets.SHAPE)
    names = names_of(graph)
    assert names == expected or len(names) == expected
    for name in names:
        proved(graph, (name,))
    proved(graph, names)


@pytest.mark.parametrize(("name", "count"), [("resnet20", 7), ("resnet18-v2", 5), ("article", None)])
def test_removed_is_silenced_on_the_zoo(name: str, count: int | None) -> None:
    graph = graph_of(zoo.build(name, SMALL, 10), SMALL)
    names = names_of(graph)
    assert count is None or len(names) == count
    assert names
    proved(graph, names[::2])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "resnet50-v1.5", "resnet50-v2"])
def test_removed_is_silenced_on_larger_networks_of_the_zoo(name: str) -> None:
    graph = graph_of(zoo.build(name, SMALL, 10), SMALL)
    proved(graph, names_of(graph)[1::2])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("ResNet50", 12), ("ResNet50V2", 9)])
def test_removed_is_silenced_on_keras_applications(name: str, count: int) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=SMALL, classes=10)
    graph = graph_of(model, SMALL)
    assert len(names_of(graph)) == count
    proved(graph, names_of(graph)[::2])


def test_the_branch_is_all_that_serves_the_addition_and_nothing_else() -> None:
    (block, stays) = blocks(flat_graph(nets.residual(), nets.SHAPE))
    assert block.branch == ("a1", "a1_bn", "a1_relu", "a2", "a2_bn")
    assert (stays.name, stays.reason) == (
        "b_add",
        "its shortcut is not the identity (shortcut and b2_bn are added)",
    )


def test_a_second_relu_on_the_same_numbers_goes_too() -> None:
    kinds = [call.kind for call in without(flat_graph(nets.residual(), nets.SHAPE), ["a_add"]).calls]
    assert kinds.count("ReLU") == 2  # the stem's and b1's; a1's was in the branch, a's did nothing


@pytest.mark.parametrize(
    ("before", "behind", "stays"),
    [
        (layers.ReLU(), layers.ReLU(), False),
        (layers.ReLU(6.0), layers.ReLU(), False),
        (layers.Activation("relu6"), layers.ReLU(6.0), False),
        (layers.Conv2D(3, 1, activation="relu"), layers.Activation("relu"), False),
        (layers.ReLU(), layers.ReLU(6.0), True),
        (layers.LeakyReLU(), layers.ReLU(), True),
        (layers.ReLU(negative_slope=0.1), layers.ReLU(), True),
        (layers.Conv2D(3, 1), layers.ReLU(), True),
        (layers.ReLU(), layers.Conv2D(3, 1, activation="relu"), True),
        (ReluFunction(), layers.ReLU(), False),
        (layers.ReLU(6.0), ReluFunction(max_value=6.0), False),
        (layers.ReLU(), ReluFunction(max_value=6.0), True),
        (ReluFunction(negative_slope=0.1), layers.ReLU(), True),
    ],
)
def test_only_an_activation_that_changes_nothing_goes(before: Any, behind: Any, stays: bool) -> None:
    image = keras.Input(nets.SHAPE)
    x = before(nets.conv(image, 3, "stem"))
    x = behind(layers.Add(name="add")([nets.conv(x, 3, "branch"), x]))
    graph = flat_graph(nets.finished(image, x, "net"), nets.SHAPE)
    left = {call.name for call in proved(graph, ("add",)).calls}
    assert (behind.name in left) is stays


def test_a_dropout_on_the_shortcut_is_no_obstacle() -> None:
    image = keras.Input(nets.SHAPE)
    x = nets.conv(image, 4, "stem")
    x = layers.Add(name="add")([layers.Dropout(0.5, name="drop")(x), nets.conv(x, 4, "branch")])
    graph = flat_graph(nets.finished(image, x, "net"), nets.SHAPE)
    assert "drop" in {call.name for call in proved(graph, ("add",)).calls}


def refused(x: Any, case: str) -> Any:
    y = nets.conv(x, 4, "branch")
    if case == "three":
        return layers.Add(name="add")([x, y, nets.conv(x, 4, "other")])
    if case == "read":
        return layers.Concatenate(name="both")([layers.Add(name="add")([x, nets.conv(y, 4, "end")]), y])
    if case == "itself":
        return layers.Add(name="add")([x, layers.Identity()(x)][::-1])
    if case == "wider":
        narrow = layers.Conv2D(1, 1, name="narrow")(x)
        return layers.Add(name="add")([narrow, layers.Conv2D(4, 1, name="wide")(narrow)])
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    x = shared(x)
    return layers.Add(name="add")([x, shared(x)])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("three", "adds something else than two tensors"),
        ("read", "both reads branch, which is in its branch"),
        ("itself", "adds a tensor to itself"),
        ("wider", "adds tensors of different shapes"),
        ("shared", "is called elsewhere, too"),
    ],
)
def test_what_cannot_be_removed_says_why(case: str, reason: str) -> None:
    image = keras.Input(nets.SHAPE)
    x = refused(nets.conv(image, 4, "stem"), case)
    graph = flat_graph(nets.finished(image, x, "net"), nets.SHAPE)
    (block,) = blocks(graph)
    assert reason in (block.reason or "")
    for refusal in (lambda: without(graph, ["add"]), lambda: check_any(graph)):
        with pytest.raises(ModelError, match=reason):
            refusal()


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelError, match="nowhere .* there is none of that name"):
        without(flat_graph(nets.residual(), nets.SHAPE), ["nowhere"])


def test_a_block_inside_a_branch_goes_with_it_or_alone() -> None:
    image = keras.Input(nets.SHAPE)
    x = nets.conv(image, 4, "stem")
    y = layers.ReLU(name="y")(nets.conv(x, 4, "first"))
    y = layers.Add(name="inner")([y, nets.conv(y, 4, "second")])
    x = layers.Add(name="outer")([x, nets.conv(y, 4, "third")])
    graph = flat_graph(nets.finished(image, x, "net"), nets.SHAPE)
    assert names_of(graph) == ("inner", "outer")
    assert len(proved(graph, ("inner",)).calls) == len(graph.calls) - 2
    assert without(graph, ["outer", "inner"]).calls == without(graph, ["outer"]).calls
    proved(graph, ("outer",))


def test_an_excluded_layer_keeps_its_block() -> None:
    graph = flat_graph(nets.preactivated(), nets.SHAPE)
    assert [block.name for block in removable(graph, ["a?"])] == ["b_add"]
    with pytest.raises(ModelError, match="it is excluded"):
        check_any(graph, ["*"])


@pytest.mark.parametrize("name", ["resnet20", "resnet18-v2"])
def test_channels_of_what_is_left_can_go_too_and_cost_what_is_foretold(name: str) -> None:
    whole = graph_of(zoo.build(name, SMALL, 10), SMALL)
    gone = names_of(whole)[1:4:2]
    channels = channel_map(flat_graph(built(without(whole, gone)), SMALL))
    selection = nets.drawn(channels)
    small = sliced(channels, selection)
    batch, counter = nets.images(SMALL), MacCounter(small)
    with counter:
        outputs = nets.outputs(small, batch)
    wanted = nets.outputs(masked(channels, selection), batch)
    assert np.abs(outputs - wanted).max() <= NOISE * np.abs(wanted).max()
    totals = summary(channels, selection, gone, channel_map(whole))
    assert (totals.after.macs, totals.after.parameters) == (
        counter.macs_per_image(len(batch)),
        small.count_params(),
    )
    assert totals.before == cost(channel_map(whole))
    assert totals.blocks == gone
    after = {group.name: group.after for group in totals.groups}
    assert {name for name, left in after.items() if left == 0} == {
        group.name
        for group in channel_map(whole).groups
        if not any(call.name in group.producers for call in channels.graph.calls)
    }
    assert 0 in after.values()


def test_without_blocks_the_summary_is_as_before() -> None:
    channels = nets.mapped(nets.residual())
    assert summary(channels, Selection({})).blocks == ()
    assert all(group.before == group.after for group in summary(channels, Selection({})).groups)
