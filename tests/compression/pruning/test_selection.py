"""Tests of the choice: the target is met, multiples are kept, and what is refused says why."""

from __future__ import annotations

import functools
import re

import keras
import numpy as np
import pytest

from resnet_edge import zoo
from resnet_edge.compression.pruning import Kind, PruningTarget, Rules, Scope, Selection
from resnet_edge.compression.pruning.cost import cost, counts
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.importance import Importance, random_importance
from resnet_edge.compression.pruning.selection import select, smallest
from resnet_edge.core.errors import ModelError, OutOfReach, UnknownName
from tests.compression.pruning import nets

SHAPE = (32, 32, 3)


@functools.cache
def _channels(name: str = "resnet8") -> ChannelMap:
    return nets.mapped(zoo.build(name, SHAPE, 10), SHAPE)


def _share(channels: ChannelMap, selection: Selection, kind: Kind = "macs") -> float:
    return cost(channels, selection).of(kind) / cost(channels).of(kind)


def _removed(channels: ChannelMap, selection: Selection) -> set[str]:
    return {name for name, kept in selection.kept.items() if len(kept) < channels.group(name).channels}


@pytest.mark.parametrize("kind", ["macs", "parameters"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.3])
@pytest.mark.parametrize("name", ["resnet8", "resnet18-v2"])
def test_the_cost_lands_at_or_just_below_the_target(name: str, share: float, kind: Kind) -> None:
    channels = _channels(name)
    rules = Rules(multiple=2 if name == "resnet8" else 8)  # so that a block is a few % at most
    selection = select(channels, random_importance(channels, 0), PruningTarget(kind, share), rules)
    assert share - 0.04 < _share(channels, selection, kind) <= share


@pytest.mark.parametrize("multiple", [1, 8, 16])
def test_what_is_left_is_a_multiple(multiple: int) -> None:
    channels = _channels("resnet18-v2")
    selection = select(
        channels, random_importance(channels, 1), PruningTarget("macs", 0.4), Rules(multiple=multiple)
    )
    assert all(len(kept) % multiple == 0 for kept in selection.kept.values())
    assert len(selection.kept) > 5


@pytest.mark.parametrize("share", [0.9, 0.8, 0.7, 0.6, 0.5])
def test_a_width_that_is_no_multiple_comes_down_to_one(share: float) -> None:
    image = keras.Input(nets.SHAPE)
    x = nets.conv(nets.conv(nets.conv(image, 21, "one"), 30, "two"), 45, "three")
    channels = nets.mapped(nets.finished(image, x, "odd_widths"))
    for seed in range(4):
        selection = select(channels, random_importance(channels, seed), PruningTarget("macs", share))
        left = counts(channels, selection)
        assert all(left[g.name] in {*range(8, g.channels, 8), g.channels} for g in channels.prunable)
        assert _removed(channels, selection)
        assert _share(channels, selection) <= share


def test_the_least_important_go_first_in_every_group() -> None:
    channels = _channels()
    importance = random_importance(channels, 2)
    selection = select(channels, importance, PruningTarget("macs", 0.5), Rules(multiple=4))
    for name, kept in selection.kept.items():
        gone = np.setdiff1d(np.arange(channels.group(name).channels), kept)
        assert importance[name][gone].max() < importance[name][list(kept)].min()
        assert list(kept) == sorted(kept)


def test_a_group_that_matters_more_stays() -> None:
    channels = _channels()
    importance: Importance = {g.name: np.ones(g.channels) for g in channels.prunable}
    dear = channels.prunable[0].name
    importance[dear] *= 1e6
    assert dear not in select(channels, importance, PruningTarget("macs", 0.6)).kept


def test_the_price_is_importance_for_what_is_saved() -> None:
    """Of two groups that matter alike, the one that costs more goes first."""
    image = keras.Input(nets.SHAPE)
    x = nets.conv(nets.conv(image, 16, "dear"), 16, "cheap", strides=4)
    channels = nets.mapped(nets.finished(image, x, "two"))
    importance = {g.name: np.ones(g.channels) for g in channels.prunable}
    assert set(select(channels, importance, PruningTarget("macs", 0.7)).kept) == {"dear"}


def _wide() -> ChannelMap:
    """Two sets of 64 channels; of the multiply-accumulates, half of `small` is 6 %, of `large` 44 %."""
    image = keras.Input(nets.SHAPE)
    x = nets.conv(nets.conv(image, 64, "large"), 64, "small", strides=12)
    return nets.mapped(nets.finished(image, x, "wide"))


def _left(share: float, importance: dict[str, float]) -> dict[str, int]:
    channels = _wide()
    of_channels = {name: np.full(64, value) for name, value in importance.items()}
    return counts(channels, select(channels, of_channels, PruningTarget("macs", share), Rules(multiple=32)))


def test_blocks_that_fit_come_back() -> None:
    """The cheap block goes first and does not suffice; the next one alone would have done."""
    assert _left(0.75, {"small": 1e-9, "large": 1.0}) == {"small": 64, "large": 32, "head": 5}


def test_what_is_saved_beyond_the_target_is_worth_nothing() -> None:
    importance = {"small": 1.0, "large": 2.0}  # for each that is saved, `large` is the better price
    assert _left(0.75, importance) == {"small": 64, "large": 32, "head": 5}
    assert _left(0.94, importance) == {"small": 32, "large": 64, "head": 5}


def test_inner_groups_only() -> None:
    channels = _channels()
    scope: Scope = "inner"
    selection = select(
        channels, random_importance(channels, 0), PruningTarget("macs", 0.7), Rules(scope=scope)
    )
    assert not any(channels.group(name).joined for name in selection.kept)
    assert smallest(channels, Rules(scope=scope), "macs") > smallest(channels, Rules(), "macs")


def test_excluded_layers_keep_their_channels() -> None:
    channels = _channels()
    rules = Rules(exclude=("stage3_*", "stem_bn"))
    selection = select(channels, random_importance(channels, 0), PruningTarget("macs", 0.7), rules)
    for name in _removed(channels, selection):
        group = channels.group(name)
        assert not any(layer.startswith("stage3_") for layer in group.producers)
        assert "stem" not in group.producers


@pytest.mark.parametrize("max_removed", [0.25, 0.5, 0.9])
def test_no_group_loses_more_than_it_may(max_removed: float) -> None:
    channels = _channels("resnet18-v2")
    rules = Rules(max_removed=max_removed)
    share = smallest(channels, rules, "macs")
    selection = select(channels, random_importance(channels, 0), PruningTarget("macs", share + 1e-9), rules)
    for name, kept in selection.kept.items():
        assert len(kept) >= max(8, channels.group(name).channels * (1 - max_removed))


def test_a_target_out_of_reach_tells_the_smallest() -> None:
    channels = _channels()
    share = smallest(channels, Rules(multiple=16), "macs")
    with pytest.raises(OutOfReach, match="these rules reach") as caught:
        select(channels, random_importance(channels, 0), PruningTarget("macs", 0.05), Rules(multiple=16))
    reachable = float(re.findall(r"rules reach ([\d.]+)x", str(caught.value))[0])
    assert share <= reachable < share + 0.001
    reached = select(
        channels, random_importance(channels, 0), PruningTarget("macs", reachable), Rules(multiple=16)
    )
    assert _share(channels, reached) <= reachable


def test_an_excluded_name_that_is_not_there_is_refused_with_what_is_near() -> None:
    with pytest.raises(UnknownName, match="resnet8 has no layer 'stage1_block1_con1'.*did you mean stage1_b"):
        smallest(_channels(), Rules(exclude=("stage1_block1_con1",)), "macs")
    with pytest.raises(UnknownName, match=r"its layers are rescale, stem"):
        smallest(_channels(), Rules(exclude=("zzz*",)), "macs")


def test_an_excluded_layer_without_channels_of_its_own_is_refused() -> None:
    with pytest.raises(UnknownName, match="pool has no channels of its own"):
        smallest(_channels(), Rules(exclude=("pool",)), "macs")


def test_rules_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ModelError, match="no group of resnet8 may lose channels"):
        smallest(_channels(), Rules(exclude=("*",)), "macs")
    with pytest.raises(ModelError, match="smaller multiples than 64"):
        smallest(_channels(), Rules(multiple=64), "parameters")


def test_a_target_in_macs_that_are_not_known_is_refused() -> None:
    image = keras.Input(nets.SHAPE)
    x = keras.layers.EinsumDense("bhwc,cd->bhwd", (None, None, 8), name="einsum")(
        nets.conv(image, 16, "first")
    )
    channels = nets.mapped(nets.finished(image, nets.conv(x, 16, "last"), "own"))
    importance = random_importance(channels, 0)
    with pytest.raises(ModelError, match="multiply-accumulates of einsum are not known"):
        select(channels, importance, PruningTarget("macs", 0.9))
    assert (
        _share(channels, select(channels, importance, PruningTarget("parameters", 0.9)), "parameters") <= 0.9
    )


def test_what_is_out_of_reach_because_channels_stay_names_them() -> None:
    image = keras.Input(nets.SHAPE)
    x = nets.conv(image, 16, "stem")
    for name in ("first", "second"):
        x = keras.layers.LayerNormalization(name=f"{name}_norm")(nets.conv(x, 16, name))
    model = nets.finished(image, nets.conv(x, 16, "last"), "normalized")
    with pytest.raises(
        OutOfReach, match=r"\(the channels of first stay: first_norm .* channels, and 1 more\)"
    ):
        select(nets.mapped(model), {"stem": np.ones(16), "last": np.ones(16)}, PruningTarget("macs", 0.05))
