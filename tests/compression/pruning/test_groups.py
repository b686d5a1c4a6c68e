"""Tests of the channel sets: who shares one, who stays whole and why."""

from __future__ import annotations

from collections.abc import Callable

import keras
import pytest
from keras import layers

from resnet_edge import zoo
from resnet_edge.compression.pruning.groups import Group
from resnet_edge.core.errors import ModelError
from tests.compression.pruning import nets

SMALL = (32, 32, 3)


def _sets(groups: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
    return {group.name: group.producers for group in groups}


def test_what_an_add_joins_is_one_set() -> None:
    channels = nets.mapped(nets.residual())
    assert _sets(channels.prunable) == {
        "stem": ("stem", "a2"),
        "a1": ("a1",),
        "b1": ("b1",),
        "b2": ("b2", "shortcut"),
    }
    stem = channels.group("stem")
    assert (stem.channels, stem.joined, stem.carriers) == (8, True, ("stem_bn", "a2_bn"))
    assert set(stem.consumers) == {"a1", "b1", "shortcut"}
    assert not channels.group("a1").joined


def test_a_batch_normalization_that_stands_alone_is_carried() -> None:
    stream = nets.mapped(nets.preactivated()).group("stem")
    assert stream.producers == ("stem", "a2", "b2")
    assert stream.carriers == ("a_pre_bn", "b_pre_bn", "final_bn")


def test_a_flatten_repeats_the_channels() -> None:
    channels = nets.mapped(nets.plain())
    assert _sets(channels.prunable) == {"first": ("first",), "separable": ("separable",), "dense": ("dense",)}
    assert channels.group("first").carriers == ("prelu", "depthwise")
    assert channels.reads(channels.call("dense")).groups == ("separable",) * (3 * 3)
    assert channels.group("separable").carriers == ("flat_bn",)


@pytest.mark.parametrize("build", [nets.operators, nets.nested])
def test_operators_and_nested_models_are_seen_through(build: Callable[[], keras.Model]) -> None:
    (group,) = nets.mapped(build()).prunable
    assert group.joined
    assert len(group.producers) == 2


def test_the_classes_stay() -> None:
    head = nets.mapped(nets.residual()).group("head")
    assert head.reason == "its channels are the network's output"


def test_a_concatenation_puts_sets_one_after_the_other() -> None:
    channels = nets.mapped(nets.dense())
    assert channels.reads(channels.call("b")).groups == ("stem", "a")
    assert channels.gives(channels.call("b_pre_bn")).groups == ("stem", "a")
    assert channels.group("stem").consumers == ("a", "b", "last")
    assert [g.name for g in channels.groups if g.reason] == ["head"]
    assert not any(g.joined for g in channels.groups)


def test_what_is_added_to_a_concatenation_is_as_many_sets() -> None:
    channels = nets.mapped(nets.inception())
    assert _sets(channels.prunable) == {
        "stem": ("stem",), "one": ("one", "up", "up_again"), "three": ("three", "up", "up_again"),
        "squeeze": ("squeeze",), "again": ("again",), "last": ("last",),
    }  # fmt: skip
    assert (channels.group("one").starts, channels.group("three").starts) == ((0, 0, 0), (0, 6, 6))


def test_a_gate_goes_with_what_it_scales() -> None:
    channels = nets.mapped(nets.squeezed())
    assert channels.group("expand").producers == ("expand", "excite")
    assert channels.group("expand").carriers == ("expand_bn", "deep", "deep_bn")
    assert channels.group("reduce").reason is None
    assert not channels.group("expand").joined


def test_a_map_of_one_channel_stays() -> None:
    image = keras.Input(nets.SHAPE)
    x = nets.conv(image, 8, "stem")
    x = layers.Multiply(name="attend")([x, nets.conv(x, 1, "map", activation="sigmoid")])
    channels = nets.mapped(nets.finished(image, nets.conv(x, 8, "last"), "attended"))
    assert channels.group("map").reason == "attend (Multiply) scales all channels by it"
    assert channels.group("stem").reason is None


def test_a_shared_layer_stays_whole() -> None:
    image = keras.Input(nets.SHAPE)
    shared = layers.Conv2D(8, 3, padding="same", name="twice")
    x = nets.conv(shared(shared(nets.conv(image, 8, "before"))), 8, "after")
    channels = nets.mapped(nets.finished(image, x, "sharing"))
    assert set(_sets(channels.prunable)) == {"after"}
    assert channels.group("before").reason == "twice is called more than once"


def test_a_shared_layer_without_weights_does_no_harm() -> None:
    image = keras.Input(nets.SHAPE)
    relu = layers.ReLU(name="relu")
    x = relu(nets.conv(relu(nets.conv(image, 8, "one")), 8, "two"))
    assert set(_sets(nets.mapped(nets.finished(image, x, "relus")).prunable)) == {"one", "two"}


def test_what_is_added_to_the_image_stays_whole() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Add(name="add")([image, nets.conv(nets.conv(image, 8, "inner"), 3, "back")])
    channels = nets.mapped(nets.finished(image, x, "image"))
    assert channels.group("back").reason == "its channels are those of the image"
    assert channels.group("inner").reason is None


def test_a_model_without_a_free_channel_is_refused_with_the_reasons() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(8, 3, activation="sigmoid", name="only")(image)
    with pytest.raises(
        ModelError,
        match=r"stuck has no channel that can be removed \(only: only ends in sig.*: take --method",
    ):
        nets.mapped(nets.finished(image, x, "stuck"))


def test_a_model_of_one_layer_is_refused() -> None:
    image = keras.Input(nets.SHAPE)
    with pytest.raises(ModelError, match="head: its channels are the network's output"):
        nets.mapped(nets.finished(image, image, "linear"))


# Per family: sets that an Add joins (one for each stage), and inner ones.
FAMILIES = {
    "resnet8": (3, 3), "resnet18": (4, 8), "resnet18-v2": (4, 8), "article": (1, 4),
    "resnet50": (4, 33), "resnet50-v1.5": (4, 33), "resnet50-v2": (4, 33),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_the_networks_of_the_zoo(name: str) -> None:
    model = zoo.build(name, SMALL, 10)
    prunable = nets.mapped(model, SMALL).prunable
    joined = [group for group in prunable if group.joined]
    assert (len(joined), len(prunable) - len(joined)) == FAMILIES[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in zoo.architectures() if name not in FAMILIES])
def test_every_network_of_the_zoo_has_only_its_classes_whole(name: str) -> None:
    channels = nets.mapped(zoo.build(name, SMALL, 10), SMALL)
    assert [g.name for g in channels.groups if g.reason] == ["logits"]


APPLICATIONS = [f"ResNet{depth}{version}" for version in ("", "V2") for depth in (50, 101, 152)]


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_residual_networks_of_keras_applications(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=SMALL, classes=10)
    channels = nets.mapped(model, SMALL)
    assert [g.name for g in channels.groups if g.reason] == ["predictions"]
    assert sum(g.joined for g in channels.prunable) == 4
