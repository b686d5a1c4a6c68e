"""Tests of the cost: what is computed is what the model counts. (On sliced models: test_slicing.)"""

from __future__ import annotations

import keras
import pytest
from keras import layers

from resnet_edge import zoo
from resnet_edge.compression.pruning import Cost, Selection
from resnet_edge.compression.pruning.cost import cost, summary, uncounted
from resnet_edge.models._macs import MacCounter
from tests.compression.pruning import nets
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def _counted(model: keras.Model, shape: tuple[int, int, int] = nets.SHAPE) -> Cost:
    counter = MacCounter(model)
    with counter:
        model(nets.images(shape), training=False)
    macs = counter.macs_per_image(2)
    assert macs is not None
    return Cost(macs, model.count_params())


@pytest.mark.parametrize("name", ["resnet20", "resnet50-v2", "article"])
def test_the_cost_of_the_zoo(name: str) -> None:
    model = zoo.build(name, (32, 32, 3), 10)
    assert cost(nets.mapped(model, (32, 32, 3))) == _counted(model, (32, 32, 3))


def test_layers_that_are_never_sliced_and_shared_ones_count_too() -> None:
    image = keras.Input(nets.SHAPE)
    shared = layers.Conv2D(8, 3, padding="same", name="twice")
    x = shared(shared(nets.conv(image, 8, "first")))
    x = nets.conv(layers.Conv2DTranspose(6, 2, strides=2)(x), 6, "grouped", groups=3)
    x = layers.GroupNormalization(2)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.Add()([nets.conv(x, 1, "one"), nets.conv(x, 5, "five")])
    model = nets.finished(image, nets.conv(x, 8, "last"), "all_kinds")
    channels = nets.mapped(model)
    assert uncounted(channels) == ()
    assert cost(channels) == _counted(model)


def test_a_layer_that_multiplies_in_its_own_way_is_named() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.EinsumDense("bhwc,cd->bhwd", (None, None, 8), name="einsum")(nets.conv(image, 8, "first"))
    model = nets.finished(image, nets.conv(x, 8, "last"), "own")
    assert uncounted(nets.mapped(model)) == ("einsum",)


def test_the_summary_tells_every_group() -> None:
    channels = nets.mapped(nets.residual())
    totals = summary(channels, Selection({"stem": (0, 1, 2), "b1": (4,)}))
    assert {g.name: (g.before, g.after) for g in totals.groups} == {
        "stem": (8, 3), "a1": (6, 6), "b1": (10, 1), "b2": (12, 12), "head": (5, 5),
    }  # fmt: skip
    by_name = {group.name: group for group in totals.groups}
    assert by_name["stem"].layers == ("stem", "a2")
    assert by_name["head"].reason == "its channels are the network's output"
    assert totals.before == cost(channels)
    assert totals.after.macs < totals.before.macs
    assert totals.after.of("parameters") == totals.after.parameters
