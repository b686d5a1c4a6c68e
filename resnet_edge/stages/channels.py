"""Runs in a worker. Channel pruning: blocks, importance, the smaller network, its fine-tuning.

The parent (stages.prune_channel) calls `prepare`, then `candidate` as often as it looks for a
target, then `finish`. The base model stays open between the calls.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge import __version__
from resnet_edge.core.errors import ModelError, OutOfReach, UsageError
from resnet_edge.core.progress import Progress, Report, silent
from resnet_edge.core.sidecar import Step, next_sidecar, story_of, write_sidecar
from resnet_edge.models import OpenedModel, open_model
from resnet_edge.models.flat import FlatGraph, copied, copy_weights, flat_graph, rebuild, return_weights
from resnet_edge.pruning import Selection, Target
from resnet_edge.pruning.block_choice import BlockChoice, Batches, mean_loss, renew_statistics
from resnet_edge.pruning.blocks import check_any, removable, without
from resnet_edge.pruning.cost import cost, summary
from resnet_edge.pruning.groups import ChannelMap, channel_map
from resnet_edge.pruning.importance import Importance, group_norm
from resnet_edge.pruning.selection import select
from resnet_edge.pruning.slicing import sliced
from resnet_edge.pruning.sparsity import penalty
from resnet_edge.pruning.taylor import gradients, taylor, variables
from resnet_edge.stages.augment import AugmentedBatches
from resnet_edge.stages.channel_request import (
    Candidate,
    CandidateRequest,
    ChannelRequest,
    Chosen,
    FinishRequest,
    Prepared,
)
from resnet_edge.stages.checkpoint import open_checkpoint, write
from resnet_edge.stages.fit import Fit, fit, save, top1, training_details
from resnet_edge.stages.losses import loss_of
from resnet_edge.stages.pixels import preprocessed
from resnet_edge.stages.recipe import Compressed
from resnet_edge.stages.saved_model import as_saved, lost_ranges_note, preprocessing_note
from resnet_edge.stages.state import state_of
from resnet_edge.stages.teacher import teacher_of
from resnet_edge.stages.training_copy import training_copy
from resnet_edge.stages.training_data import TrainingData, training_data

TAYLOR_IMAGES, TAYLOR_BATCH = 2048, 8
"""Training images that the Taylor score is taken over. The score sums squares of batch means, in
which the images of a large batch cancel each other: small batches rank better."""
JUDGED_IMAGES, JUDGED_MACS = 1000, 50_000_000_000
"""Training images on which the loss of a network with fewer blocks is measured: so many, or as many
as take so many multiply-accumulates, though never fewer than 128."""


def prepare(request: ChannelRequest, report: Report) -> Prepared:
    """Open everything, and train the base sparse if asked for.

    Raises ModelError (nothing can be pruned), UsageError, DataError, UnknownName.
    """
    base = _base(request)
    blocks = _block_count(request, base)
    if request.target is not None:  # out of reach, if it is, whatever the importance: tell it now
        _check_reach(request, base, request.target)
    _teacher(request)  # one that does not suit, too
    out = Path(request.out)
    facts = base.opened.facts
    story_of(request.model.source, facts.sha256)  # a damaged sidecar, too
    stamp = {
        **asdict(replace(request, resume=False, command="")),
        "model_sha256": facts.sha256,
        "data": base.data.identity,
    }
    folder = open_checkpoint(out, stamp, request.resume)
    known = folder / "chosen.json"
    if known.is_file():
        return Prepared(str(folder), msgspec.json.decode(known.read_bytes(), type=Chosen), blocks)
    if request.sparse_epochs:
        _train_sparse(request, base, folder / "sparse", report)
    return Prepared(str(folder), None, blocks)


def candidate(request: CandidateRequest, report: Report) -> Candidate:
    """Choose the blocks and channels that go, and write the smaller network.

    Raises UsageError (an excluded layer that does not exist), ResnetEdgeError (the target is
    out of reach).
    """
    wanted = request.wanted
    base = _base(wanted)
    blocks, selection = _chosen(request, report)
    channels = _without(wanted, blocks).channels
    smaller = sliced(channels, selection, base.opened.facts.name)
    smaller.save(request.out)
    loss = None
    if request.judged:
        images = _judging(wanted)
        renew_statistics(smaller, images)
        loss = mean_loss(smaller, _loss(wanted), images)
    return Candidate(request.out, summary(channels, selection, blocks, base.channels), loss)


def finish(request: FinishRequest, report: Report) -> Compressed:
    """Fine-tune the chosen network, save it with its sidecar, and clear the checkpoint away."""
    wanted, chosen = request.wanted, request.chosen
    base, out = _base(wanted), Path(wanted.out)
    folder = out.with_name(f"{out.name}.checkpoint")
    chosen = _kept(chosen, folder)
    facts, data, recipe = base.opened.facts, base.data, wanted.recipe
    model = keras.models.load_model(chosen.candidate.file, compile=False)
    graph = flat_graph(model, facts.input_shape)
    how = base.how("fine-tune", _teacher(wanted))
    measured = data.measured_on
    scores: list[float | None] = [None, None, None]
    if measured is not None:
        networks = (base.opened.network, model.predict_on_batch)
        scores[:2] = [top1(network, measured, how, report) for network in networks]
    history = []
    if recipe.epochs:
        copy = training_copy(graph, recipe.precision)
        history = fit(copy, data, recipe, folder, report, how)
        return_weights(copy, graph)
    if measured is not None:
        scores[2] = top1(model.predict_on_batch, measured, how, report)
    save(model, folder, out)
    before = state_of(wanted.model, scores[0], measured)
    after = state_of(as_saved(wanted.model, facts, out), scores[2], measured)
    step = Step(
        "prune",
        _title(chosen.candidate),
        wanted.command,
        __version__,
        after,
        before,
        chosen.latency,
        {
            "method": "channel",
            "importance": wanted.importance,
            "rules": asdict(wanted.rules),
            "sparse_epochs": wanted.sparse_epochs,
            "sparsity": wanted.sparsity,
            "top1_before_fine_tuning": scores[1],
            "removed_blocks": list(chosen.candidate.summary.blocks),
            "groups": [asdict(group) for group in chosen.candidate.summary.groups],
            **training_details(recipe, data, history, how),
        },
    )
    sidecar, note = next_sidecar(wanted.model.source, step)
    write_sidecar(out, replace(sidecar, class_names=sidecar.class_names or data.class_names))
    shutil.rmtree(folder)
    return Compressed(
        str(out), step, (*preprocessing_note(facts), *lost_ranges_note(facts), *filter(None, [note]))
    )


def _kept(chosen: Chosen, folder: Path) -> Chosen:
    """Keep what was chosen in the checkpoint, so that a resumed run goes on with the same network."""
    file = folder / "chosen.keras"
    if Path(chosen.candidate.file) != file:
        shutil.copyfile(chosen.candidate.file, file)
        chosen = replace(chosen, candidate=replace(chosen.candidate, file=str(file)))
        write(folder / "chosen.json", msgspec.json.encode(chosen))
    return chosen


def _title(found: Candidate) -> str:
    before, after = found.summary.before, found.summary.after
    share = f"{after.macs / before.macs:.2f} of the MACs"
    gone = len(found.summary.blocks)
    if not gone:
        return f"channels pruned to {share}"
    removed = f"{gone} block{'s' if gone > 1 else ''} removed"
    # what a block takes along has 0 channels left; what was pruned has fewer, but some
    pruned = any(0 < group.after < group.before for group in found.summary.groups)
    return f"{removed}, channels pruned to {share}" if pruned else f"{removed}: {share} left"


@dataclass(frozen=True)
class _Base:
    """The network to prune and the data that it is fitted to."""

    opened: OpenedModel
    graph: FlatGraph
    channels: ChannelMap
    data: TrainingData

    def how(self, label: str, teacher: Any = None, penalised: Any = None) -> Fit:
        facts = self.opened.facts
        return Fit(
            label,
            facts.output,
            lambda images: preprocessed(images, facts.preprocessing),
            teacher,
            penalised,
        )


@lru_cache(maxsize=1)
def _base(request: ChannelRequest) -> _Base:
    model = request.model
    opened = open_model(model, silent)
    if not isinstance(opened.trackable, keras.Model):
        raise ModelError(
            f"{model.source} is a SavedModel, which has no layers to prune: give the .keras file"
        )
    facts = opened.facts
    graph = flat_graph(opened.trackable, facts.input_shape)
    channels = channel_map(graph)
    data = training_data(request.recipe, facts.input_shape, facts.classes, silent)
    return _Base(opened, graph, channels, data)


@lru_cache(maxsize=1)
def _teacher(request: ChannelRequest) -> Any:
    facts = _base(request).opened.facts
    return teacher_of(request.recipe, facts.input_shape, facts.classes, silent)


@dataclass(frozen=True)
class _Left:
    """What is left without some blocks; `model` computes it with the layers of `channels`."""

    model: Any
    channels: ChannelMap


@lru_cache(maxsize=1)
def _without(request: ChannelRequest, blocks: tuple[str, ...]) -> _Left:
    base = _base(request)
    if not blocks:
        return _Left(base.opened.trackable, base.channels)
    graph = without(base.graph, blocks)
    model = rebuild(graph, copied)
    copy_weights(graph, model)
    return _Left(model, channel_map(flat_graph(model, base.opened.facts.input_shape)))


@lru_cache(maxsize=1)
def _importance(request: ChannelRequest, blocks: tuple[str, ...]) -> Importance:
    left = _without(request, blocks)
    if request.importance == "norm":
        return group_norm(left.channels)
    slope = gradients(left.model, variables(left.channels), _loss(request))
    return taylor(left.channels, slope, _plain_batches(_base(request), request))


def _loss(request: ChannelRequest) -> Any:
    """That of the training, without a teacher."""
    return loss_of(replace(request.recipe, teacher=None), _base(request).opened.facts.output)


def _block_count(request: ChannelRequest, base: _Base) -> int:
    """How many blocks may go. Raises ModelError, UsageError where that is not what was asked for."""
    if not request.rules.blocks:
        return 0
    if request.target_latency is None:  # a search by latency goes on with channels alone
        check_any(base.graph, request.rules.exclude)
    found = len(removable(base.graph, request.rules.exclude))
    if (request.remove_blocks or 0) > found:
        raise UsageError(
            f"{request.remove_blocks} blocks to remove: {base.graph.name} has {found} that can go; give fewer"
        )
    return found


def _check_reach(request: ChannelRequest, base: _Base, target: Target) -> None:
    """Raises OutOfReach where `target` is, with all blocks gone that may go."""
    if request.rules.blocks and request.remove_blocks is None:
        names = tuple(block.name for block in removable(base.graph, request.rules.exclude))
        _channels_for(request, target, names, lambda left: group_norm(left.channels))
    elif not request.rules.blocks:
        select(base.channels, group_norm(base.channels), target, request.rules)


def _chosen(request: CandidateRequest, report: Report) -> tuple[tuple[str, ...], Selection]:
    """The blocks and the channels for a target."""
    wanted, target = request.wanted, request.target
    if request.blocks is None and target is not None and wanted.rules.blocks:
        blocks = _blocks_before(wanted, target, report)
    else:
        blocks = _block_choice(wanted, report).first(request.blocks) if request.blocks else ()
    if target is None:
        return blocks, Selection({})
    report(Progress("channels", note=f"{wanted.importance} importance"))
    while True:
        try:
            return blocks, _channels_for(wanted, target, blocks, lambda _: _importance(wanted, blocks))
        except OutOfReach:  # by less than a block: then one more goes than the target takes
            more = _block_choice(wanted, report).following(blocks) if request.blocks is None else None
            if not wanted.rules.blocks or more is None:
                raise
            blocks = (*blocks, more)


def _blocks_before(request: ChannelRequest, target: Target, report: Report) -> tuple[str, ...]:
    """The blocks that go before the target is met; channels do the rest."""
    allowed = target.share * cost(_base(request).channels).of(target.kind)
    return _block_choice(request, report).down_to(allowed)


def _channels_for(
    request: ChannelRequest,
    target: Target,
    blocks: tuple[str, ...],
    importance: Callable[[_Left], Importance],
) -> Selection:
    """The channels that stay, so that what is left without `blocks` meets a target for the whole."""
    left = _without(request, blocks)
    whole = cost(_base(request).channels).of(target.kind)
    share = target.share * whole / cost(left.channels).of(target.kind)
    if share >= 1:
        return Selection({})
    return select(left.channels, importance(left), Target(target.kind, share), request.rules)


@lru_cache(maxsize=1)
def _block_choice(request: ChannelRequest, report: Report) -> BlockChoice:
    base = _base(request)
    report(Progress("blocks", note="the loss without each of them"))
    kind = request.target.kind if request.target else "macs"
    return BlockChoice(base.graph, _loss(request), _judging(request), kind, request.rules.exclude)


@lru_cache(maxsize=1)
def _judging(request: ChannelRequest) -> Batches:
    """A seeded draw of training images as they are."""
    base, seed = _base(request), request.recipe.seed
    macs, fitted = max(1, cost(base.channels).macs), base.data.fitted
    count = min(len(fitted), JUDGED_IMAGES, max(128, JUDGED_MACS // macs))
    rows = np.sort(np.random.default_rng(seed).permutation(len(fitted))[:count])
    batch = 100 if macs < 10**9 else 16
    return [
        (base.how("").inputs(fitted.images[part].astype(np.float32)), fitted.labels[part])
        for part in (rows[start : start + batch] for start in range(0, count, batch))
    ]


def _plain_batches(base: _Base, request: ChannelRequest) -> Iterator[tuple[Any, NDArray[np.int64]]]:
    """Training images as they are: the score is of the network as it will be used."""
    fitted = base.data.fitted
    batches = AugmentedBatches(fitted.images, fitted.labels, TAYLOR_BATCH, (), request.recipe.seed)
    count = min(len(batches), TAYLOR_IMAGES // TAYLOR_BATCH)
    for images, labels in islice(batches.epochs(0), count):
        yield base.how("").inputs(images), labels


def _train_sparse(request: ChannelRequest, base: _Base, folder: Path, report: Report) -> None:
    """Train the open model on with the group penalty; its file is not touched."""
    folder.mkdir(exist_ok=True)
    recipe = replace(request.recipe, epochs=request.sparse_epochs, teacher=None)
    copy = training_copy(base.graph, recipe.precision)

    def penalised() -> Any:
        return penalty(copy, base.channels.prunable, request.sparsity)

    fit(copy, base.data, recipe, folder, report, base.how("sparse", penalised=penalised))
    return_weights(copy, base.graph)
