"""Runs in a worker. Channel pruning: blocks, importance, the smaller network, its fine-tuning.

The parent (compression.prune_channel) calls `prepare`, then `candidate` as often as it looks for a
target, then `finish`. The base model stays open between the calls.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from resnet_edge import __version__
from resnet_edge.compression.channel_base import Base, base_of, judging_images, plain_loss
from resnet_edge.compression.channel_choice import (
    block_count,
    check_reach,
    chosen,
    left_without,
    weights_changed,
)
from resnet_edge.compression.channel_task import (
    Candidate,
    ChannelRequest,
    Chosen,
    FineTuneChosen,
    FinishChannels,
    MakeCandidate,
    PrepareChannels,
    Prepared,
)
from resnet_edge.compression.pruning.block_choice import mean_loss, renew_statistics
from resnet_edge.compression.pruning.cost import summary
from resnet_edge.compression.pruning.slicing import sliced
from resnet_edge.compression.pruning.sparsity import penalty
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.sidecar import Step, lineage_of, next_sidecar, write_sidecar
from resnet_edge.evaluation.reader_check import witness_note
from resnet_edge.models import open_model
from resnet_edge.models.functional.flat import flat_graph, return_weights
from resnet_edge.training.checkpoint import BEGIN_ANEW, open_checkpoint
from resnet_edge.training.fit import fit, share_right, training_details
from resnet_edge.training.placement import described
from resnet_edge.training.recipe import Compressed
from resnet_edge.training.same_everywhere import same_everywhere
from resnet_edge.training.saved_model import as_saved, lost_ranges_note, preprocessing_note
from resnet_edge.training.state import Right, change_ci95_pp, few_images_note, state_of
from resnet_edge.training.teacher import teacher_of
from resnet_edge.training.training_copy import training_copy
from resnet_edge.training.unfinished import checkpoint_folder, finished_file
from resnet_edge.workers.progress import OnProgress, Progress, silent, underway

CHOSEN = "chosen.keras"
"""The network that was chosen, in the checkpoint."""


def prepare(task: PrepareChannels, on_progress: OnProgress) -> Prepared:
    """Open everything, and train the base sparse if asked for.

    Raises ModelError (nothing can be pruned), UsageError, DataError, UnknownName.
    """
    request = task.wanted
    with underway("model", f"reading {request.model.source}", on_progress):
        base = base_of(request)
    placement = base.placement
    if placement.devices > 1:
        on_progress(Progress(step="devices", note=described(placement), line=True))
    blocks = block_count(request, base)
    if request.target is not None:  # out of reach, if it is, whatever the importance: tell it now
        check_reach(request, base, request.target)
    _teacher(request)  # one that does not suit, too
    out = Path(request.out)
    facts = base.opened.facts
    lineage_of(request.model.source, facts.sha256)  # a damaged sidecar, too
    stamp = {
        **asdict(replace(request, resume=False, command="", overwrite=False)),
        "model": asdict(replace(request.model, source="")),  # of which the hash is below
        "recipe": request.recipe.lasting(),
        "model_sha256": facts.sha256,
        "data": base.data.identity,
    }
    del stamp["devices"]  # the same is trained on any
    placement.agree(lambda: {**_same_everywhere(stamp), **same_everywhere(request.recipe, base.data)})
    folder = open_checkpoint(out, stamp, request.resume, request.overwrite)
    known = folder / "chosen.json"
    # The checkpoint is that of process 0, which may go on behind the choice: no other trains sparse alone.
    (is_chosen,) = placement.as_in_first([np.asarray(known.is_file())])
    if is_chosen:
        return Prepared(str(folder), _chosen_in(known) if placement.writes else None, blocks)
    if request.sparse_epochs:
        _train_sparse(request, base, folder / "sparse", on_progress)
        weights_changed()
    return Prepared(str(folder), None, blocks)


def _same_everywhere(stamp: dict[str, Any]) -> dict[str, Any]:
    """The options of a pruning, and its model; what names files counts by its content."""
    apart = {"model", "recipe", "data", "out"}
    options = {f"--{name.replace('_', '-')}": value for name, value in stamp.items() if name not in apart}
    return {"MODEL": options.pop("--model-sha256"), **options}


def _chosen_in(file: Path) -> Chosen:
    """With the network that is kept beside it, whatever path it names. Raises DataError."""
    chosen: Chosen = read_json(file, Chosen, "choice of channels", BEGIN_ANEW)
    return replace(chosen, candidate=replace(chosen.candidate, file=str(file.with_name(CHOSEN))))


def candidate(request: MakeCandidate, on_progress: OnProgress) -> Candidate:
    """Choose the blocks and channels that go, and write the smaller network.

    Raises UsageError (an excluded layer that does not exist), ResnetEdgeError (the target is
    out of reach).
    """
    wanted = request.wanted
    base = base_of(wanted)
    blocks, selection = chosen(request, on_progress)
    channels = left_without(wanted, blocks).channels
    smaller = sliced(channels, selection, base.opened.facts.name)
    smaller.save(request.out)
    loss = None
    if request.judged:
        images = judging_images(wanted)
        renew_statistics(smaller, images)
        loss = mean_loss(smaller, plain_loss(wanted), images)
    return Candidate(request.out, summary(channels, selection, blocks, base.channels), loss)


def finish(request: FinishChannels, on_progress: OnProgress) -> Compressed:
    """Fine-tune the chosen network, save it with its sidecar, and clear the checkpoint away."""
    wanted, chosen = request.wanted, request.chosen
    base, out = base_of(wanted), Path(wanted.out)
    folder = checkpoint_folder(out)
    chosen = _kept(chosen, folder)
    facts, data, recipe = base.opened.facts, base.data, wanted.recipe
    model = open_model(as_saved(wanted.model, facts, Path(chosen.candidate.file)), silent).trackable
    graph = flat_graph(model, facts.input_shape)
    how = base.how("fine-tune", _teacher(wanted))
    measured = data.measured_on
    scores: list[Right | None] = [None, None, None]
    if measured is not None:
        networks = (base.opened.network, model.predict_on_batch)
        scores[:2] = [share_right(network, measured, how, on_progress) for network in networks]
    history = []
    if recipe.epochs:
        with base.placement.scope(recipe.seed):
            copy = training_copy(graph, recipe.precision)
        history = fit(copy, data, recipe, folder, on_progress, how)
        return_weights(copy, graph)
    base.placement.leave()
    if measured is not None:
        scores[2] = share_right(model.predict_on_batch, measured, how, on_progress)
    file = finished_file(out)
    model.save(file)
    before = state_of(wanted.model, scores[0], measured)
    after = state_of(as_saved(wanted.model, facts, file), scores[2], measured)
    step = Step(
        step="prune",
        title=_title(chosen.candidate),
        command=wanted.command,
        resnet_edge=__version__,
        after=after,
        before=before,
        top1_change_ci95_pp=change_ci95_pp(scores[0], scores[2]),
        latency=chosen.latency,
        details={
            "method": "channel",
            "importance": wanted.importance,
            "rules": asdict(wanted.rules),
            "sparse_epochs": wanted.sparse_epochs,
            "sparsity": wanted.sparsity,
            "top1_before_fine_tuning": None if scores[1] is None else float(scores[1].mean()),
            "removed_blocks": list(chosen.candidate.summary.blocks),
            "groups": [asdict(group) for group in chosen.candidate.summary.groups],
            **training_details(recipe, data, history, how),
        },
    )
    sidecar, note = next_sidecar(wanted.model.source, step, facts.declared)
    write_sidecar(file, replace(sidecar, class_names=sidecar.class_names or data.class_names))
    return Compressed(
        str(out),
        step,
        (
            *few_images_note(step),
            *preprocessing_note(facts),
            *lost_ranges_note(facts),
            *witness_note(base.read),
            *filter(None, [note]),
        ),
    )


def fine_tune_chosen(task: FineTuneChosen, on_progress: OnProgress) -> Compressed:
    """Raises as `prepare`."""
    prepare(PrepareChannels(wanted=task.wanted), on_progress)
    return finish(FinishChannels(wanted=task.wanted, chosen=task.chosen), on_progress)


def _kept(chosen: Chosen, folder: Path) -> Chosen:
    """Keep what was chosen in the checkpoint, so that a resumed run goes on with the same network."""
    file = folder / CHOSEN
    if Path(chosen.candidate.file) != file:
        shutil.copyfile(chosen.candidate.file, file)
        chosen = replace(chosen, candidate=replace(chosen.candidate, file=str(file)))
        write_whole(folder / "chosen.json", msgspec.json.encode(chosen))
    return chosen


def _title(candidate: Candidate) -> str:
    before, after = candidate.summary.before, candidate.summary.after
    share = f"{after.macs / before.macs:.2f} of the MACs"
    gone = len(candidate.summary.blocks)
    if not gone:
        return f"channels pruned to {share}"
    removed = f"{gone} block{'s' if gone > 1 else ''} removed"
    # what a block takes along has 0 channels left; what was pruned has fewer, but some
    pruned = any(0 < group.after < group.before for group in candidate.summary.groups)
    return f"{removed}, channels pruned to {share}" if pruned else f"{removed}: {share} left"


@lru_cache(maxsize=1)
def _teacher(request: ChannelRequest) -> Any:
    opened = base_of(request).opened
    return teacher_of(request.recipe, opened.facts.input_shape, opened.facts.head, silent, opened)


def _train_sparse(request: ChannelRequest, base: Base, folder: Path, on_progress: OnProgress) -> None:
    """Train the open model on with the group penalty; its file is not touched."""
    folder.mkdir(exist_ok=True)
    recipe = replace(request.recipe, epochs=request.sparse_epochs, teacher=None)
    with base.placement.scope(recipe.seed):
        copy = training_copy(base.graph, recipe.precision)

    def penalised() -> Any:
        return penalty(copy, base.channels, request.sparsity)

    own = _teacher(request) if base.opened.facts.head.kind == "embedding" else None
    fit(copy, base.data, recipe, folder, on_progress, base.how("sparse", own, penalised))
    return_weights(copy, base.graph)
