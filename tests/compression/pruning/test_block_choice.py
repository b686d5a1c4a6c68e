"""Tests that the blocks go whose absence the loss feels least."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.pruning.block_choice import (
    BlockChoice,
    ShutBlocks,
    block_losses,
    mean_loss,
    renew_statistics,
)
from resnet_edge.compression.pruning.blocks import removable, without
from resnet_edge.compression.pruning.cost import cost
from resnet_edge.compression.pruning.groups import channel_map
from resnet_edge.core.errors import DataError
from resnet_edge.models.functional.flat import FlatGraph, copied, copy_weights, flat_graph, rebuild
from tests.compression.pruning import nets
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def loss(labels: Any, outputs: Any) -> Any:
    return keras.ops.sparse_categorical_crossentropy(labels, outputs, from_logits=True)


def batches(model: keras.Model | None = None) -> list[tuple[Any, Any]]:
    """Batches of several sizes; the labels are what `model` says, so that it has the least loss."""
    draw = np.random.default_rng(1)
    pairs = [(nets.images(count=4 + n), draw.integers(0, nets.CLASSES, 4 + n)) for n in range(3)]
    if model is None:
        return pairs
    return [(images, nets.outputs(model, images).argmax(-1)) for images, _ in pairs]


def three_blocks() -> keras.Model:
    """Blocks of very different weight: `quiet` adds almost nothing, `loud` a lot."""
    image = keras.Input(nets.SHAPE)
    x = nets.norm_relu(nets.conv(image, 4, "stem"), "stem")
    for name in ("loud", "quiet", "middle"):
        x = layers.Add(name=name)([x, nets.conv(x, 4, f"{name}_conv")])
    model = nets.finished(image, x, "net")
    for name, scale in (("loud", 30.0), ("quiet", 1e-4), ("middle", 3.0)):
        layer = model.get_layer(f"{name}_conv")
        layer.set_weights([scale * value for value in layer.get_weights()])
    return model


def graph_of(model: keras.Model) -> FlatGraph:
    return flat_graph(model, nets.SHAPE)


def measured(graph: FlatGraph, names: tuple[str, ...]) -> float:
    """The loss of the network that is built without these blocks."""
    smaller = without(graph, names)
    model = rebuild(smaller, copied)
    copy_weights(smaller, model)
    return mean_loss(model, loss, batches())


def test_a_shut_block_is_a_removed_one() -> None:
    graph = graph_of(three_blocks())
    shut = ShutBlocks(graph, removable(graph), loss, batches())
    for names in ((), ("loud",), ("quiet", "middle"), ("loud", "quiet", "middle"), ()):
        assert shut.loss(names) == pytest.approx(measured(graph, names), rel=1e-5)


@pytest.mark.parametrize("build", [nets.residual, nets.preactivated, nets.operators, nets.nested])
def test_a_shut_block_is_a_removed_one_however_it_is_built(build: Any) -> None:
    graph = flat_graph(build(), nets.SHAPE)
    whole = measured(graph, ())
    for name, more in block_losses(graph, loss, batches()).items():
        assert more == pytest.approx(measured(graph, (name,)) - whole, abs=1e-5)


def test_the_quietest_block_goes_first_and_the_rest_is_measured_anew() -> None:
    model = three_blocks()
    graph, images = graph_of(model), batches(model)
    choice = BlockChoice(graph, loss, images)
    order = choice.first(9)
    assert order[0] == "quiet"
    assert sorted(order) == ["loud", "middle", "quiet"]
    assert choice.loss(order[:2]) == min(choice.loss(("quiet", name)) for name in ("loud", "middle"))
    assert choice.first(1) == ("quiet",)
    assert choice.following(order) is None


def test_blocks_go_only_while_the_cost_stays_above_what_is_allowed() -> None:
    model = three_blocks()
    graph = graph_of(model)
    whole = cost(channel_map(graph)).macs
    one = whole - cost(channel_map(without(graph, ["quiet"]))).macs
    choice = BlockChoice(graph, loss, batches(model))
    assert choice.down_to(whole - one + 1) == ()
    assert choice.down_to(whole - one) == ("quiet",)
    assert len(choice.down_to(whole - 2.5 * one)) == 2


def test_an_excluded_block_never_goes() -> None:
    choice = BlockChoice(graph_of(three_blocks()), loss, batches(), exclude=["quiet_conv"])
    assert sorted(choice.first(3)) == ["loud", "middle"]


def test_without_images_or_with_a_broken_loss_nothing_is_ranked() -> None:
    graph = graph_of(three_blocks())
    with pytest.raises(DataError, match="no images"):
        BlockChoice(graph, loss, [])
    with pytest.raises(DataError, match="NaN"):
        block_losses(graph, lambda labels, outputs: loss(labels, outputs) * np.nan, batches())


def test_renewed_statistics_are_those_of_the_images() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.BatchNormalization(name="bn")(image)
    frozen = layers.BatchNormalization(name="frozen", trainable=False)
    model = nets.finished(image, frozen(x), "net")
    kept = [np.array(value) for value in model.get_layer("frozen").get_weights()]
    same_size = [(nets.images(count=4), None), (2 * nets.images(count=4) + 1, None)]
    renew_statistics(model, same_size)
    expected = np.mean([images.mean(axis=(0, 1, 2)) for images, _ in same_size], axis=0)
    bn = model.get_layer("bn")
    np.testing.assert_allclose(np.asarray(bn.moving_mean), expected, rtol=1e-4)
    assert bn.momentum == 0.99
    for value, before in zip(model.get_layer("frozen").get_weights(), kept, strict=True):
        np.testing.assert_array_equal(value, before)
