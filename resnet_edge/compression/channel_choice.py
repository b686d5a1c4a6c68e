"""Runs in a worker. Which blocks and which channels go, for a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from resnet_edge.compression.channel_base import Base, base_of, judging_images, plain_batches, plain_loss
from resnet_edge.compression.channel_task import ChannelRequest, MakeCandidate
from resnet_edge.compression.pruning import PruningTarget, Selection
from resnet_edge.compression.pruning.block_choice import BlockChoice
from resnet_edge.compression.pruning.blocks import check_any, removable, without
from resnet_edge.compression.pruning.cost import cost
from resnet_edge.compression.pruning.groups import ChannelMap, channel_map
from resnet_edge.compression.pruning.importance import Importance, group_norm
from resnet_edge.compression.pruning.selection import select, smallest
from resnet_edge.compression.pruning.taylor import gradients, taylor, variables
from resnet_edge.core.errors import OutOfReach, UsageError
from resnet_edge.models.functional.flat import copied, copy_weights, flat_graph, rebuild
from resnet_edge.workers.progress import OnProgress, underway

Blocks = tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """What is left without some blocks; `model` computes it with the layers of `channels`."""

    model: Any
    channels: ChannelMap


def block_count(request: ChannelRequest, base: Base) -> int:
    """How many blocks may go. Raises ModelError, UsageError where that is not what was asked for."""
    if not request.rules.blocks:
        return 0
    if request.target_latency is None:  # a search by latency goes on with channels alone
        check_any(base.graph, request.rules.exclude)
    available = len(removable(base.graph, request.rules.exclude))
    if (request.remove_blocks or 0) > available:
        raise UsageError(
            f"{request.remove_blocks} blocks to remove: {base.graph.name} has {available} that can go; "
            "give fewer"
        )
    return available


def check_reach(request: ChannelRequest, base: Base, target: PruningTarget) -> None:
    """Raises OutOfReach where `target` is, though every block is gone that may go."""
    if not request.rules.blocks:
        select(base.channels, group_norm(base.channels), target, request.rules)
    elif request.remove_blocks is None:
        names = tuple(block.name for block in removable(base.graph, request.rules.exclude))
        share = _share(request, target, names)
        if share < 1 and smallest(left_without(request, names).channels, request.rules, target.kind) > share:
            raise _out_of_reach(target, len(names))


def chosen(request: MakeCandidate, on_progress: OnProgress) -> tuple[Blocks, Selection]:
    """The blocks that go, and the channels of what is left that stay. Raises OutOfReach."""
    wanted, target = request.wanted, request.target
    blocks: Blocks = ()
    if request.blocks is not None:
        blocks = _ranking(wanted, on_progress).first(request.blocks) if request.blocks else ()
    elif target is not None and wanted.rules.blocks:
        blocks = _before(wanted, target, on_progress)
    if target is None:
        return blocks, Selection({})
    with underway("channels", f"{wanted.importance} importance", on_progress):
        return blocks, _channels(wanted, target, blocks)


@lru_cache(maxsize=1)
def left_without(request: ChannelRequest, blocks: Blocks) -> Left:
    """The network without `blocks`; its layers have the names that they had."""
    base = base_of(request)
    if not blocks:
        return Left(base.opened.trackable, base.channels)
    graph = without(base.graph, blocks)
    model = rebuild(graph, copied)
    copy_weights(graph, model)
    return Left(model, channel_map(flat_graph(model, base.opened.facts.input_shape)))


def weights_changed() -> None:
    """Forget what was found with other weights of the base."""
    for remembered in (left_without, _importance, _measured):
        remembered.cache_clear()


def _before(request: ChannelRequest, target: PruningTarget, on_progress: OnProgress) -> Blocks:
    """The blocks that go before the target is met; channels do the rest. Where these cannot, a block
    more goes than the target takes."""
    ranking = _ranking(request, on_progress)
    blocks = ranking.down_to(target.share * cost(base_of(request).channels).of(target.kind))
    while (share := _share(request, target, blocks)) < 1:
        if smallest(left_without(request, blocks).channels, request.rules, target.kind) <= share:
            break
        more = ranking.following(blocks)
        if more is None:
            raise _out_of_reach(target, len(blocks))
        blocks = (*blocks, more)
    return blocks


def _channels(request: ChannelRequest, target: PruningTarget, blocks: Blocks) -> Selection:
    share, left = _share(request, target, blocks), left_without(request, blocks)
    if share >= 1:
        return Selection({})
    try:
        own = replace(target, share=share)
        return select(left.channels, _importance(request, blocks), own, request.rules)
    except OutOfReach:
        if not blocks:
            raise
        raise _out_of_reach(target, len(blocks)) from None


def _share(request: ChannelRequest, target: PruningTarget, blocks: Blocks) -> float:
    """`target` as a share of what is left without `blocks`; 1 or more: they suffice."""
    whole = cost(base_of(request).channels).of(target.kind)
    return target.share * whole / cost(left_without(request, blocks).channels).of(target.kind)


def _out_of_reach(target: PruningTarget, count: int) -> OutOfReach:
    what = "MACs" if target.kind == "macs" else target.kind
    blocks = f"{count} block{'s' * (count > 1)}"
    return OutOfReach(
        f"{target.share:g}x of the {what} is out of reach, with {blocks} removed as well: "
        "raise the target, exclude fewer layers, or allow smaller multiples"
    )


@lru_cache(maxsize=1)
def _importance(request: ChannelRequest, blocks: Blocks) -> Importance:
    left = left_without(request, blocks)
    if request.importance == "norm":
        return group_norm(left.channels)
    slope = gradients(left.model, variables(left.channels), plain_loss(request))
    return taylor(left.channels, slope, plain_batches(request))


def _ranking(request: ChannelRequest, on_progress: OnProgress) -> BlockChoice:
    with underway("blocks", "the loss without each of them", on_progress):
        return _measured(request)


@lru_cache(maxsize=1)
def _measured(request: ChannelRequest) -> BlockChoice:
    kind = request.target.kind if request.target else "macs"
    graph = base_of(request).graph
    return BlockChoice(graph, plain_loss(request), judging_images(request), kind, request.rules.exclude)
