"""Runs in the parent. A search: trials until they are enough, then the frontier, proved."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from resnet_edge import __version__
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.results.doubt import Doubt, open_doubts
from resnet_edge.core.results.search import SearchResult
from resnet_edge.core.sequential import quantile
from resnet_edge.core.sidecar import lineage_of
from resnet_edge.data.declared import check_data, data_sha256
from resnet_edge.evaluation.cluster import facts_of, joined
from resnet_edge.evaluation.reference_doubts import doubts_of
from resnet_edge.searching.comparison import PointComparison
from resnet_edge.searching.context import Context
from resnet_edge.searching.finals import Finals
from resnet_edge.searching.frontier import Measuring
from resnet_edge.searching.loop import TrialLoop
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.selection import Selecting
from resnet_edge.searching.setup import prepared
from resnet_edge.searching.sizes import resize_notes
from resnet_edge.searching.space import CHOICES
from resnet_edge.searching.standing import Baseline
from resnet_edge.searching.store import SearchStore
from resnet_edge.searching.trials import Trials
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import workers_and_threads
from resnet_edge.workers.progress import OnProgress, Progress, underway
from resnet_edge.workers.side_by_side import how_many


def search(request: SearchRequest, workspace: Workspace, on_progress: OnProgress) -> SearchResult:
    """Search, and write the folder of each point of the frontier below `workspace.folder`.

    A trial that fails is a failed trial. Raises OutOfReach where nothing meets the limits, and what concerns
    all trials: the model, the data, the backend, the study.
    """
    shapes = check_data(request.data, request.calibration)
    request = replace(request, model=replace(request.model, data_shape=shapes.get(request.data)))
    if (training := request.training) is not None:
        with underway("training images", f"reading {training.data}", on_progress):
            training = replace(training, sha256=data_sha256(training.data))
        request = replace(request, training=training)
    store = SearchStore(Path(f"{request.study}.files").absolute())
    env = {"TMPDIR": str(workspace.scratch), "OPENBLAS_NUM_THREADS": "1"}
    grant = Grant(writes=(str(workspace.folder), str(workspace.scratch)))
    with ExitStack() as stack:
        stack.enter_context(store)
        stack.enter_context(store.turn.taken())
        cluster = stack.enter_context(joined(request.cluster, workspace.logs, on_progress))
        workers, pool = stack.enter_context(
            workers_and_threads(workspace.logs, 2 + how_many(), env, workspace.check_space, grant)
        )
        context = stack.enter_context(
            prepared(request, workspace, store, workers, pool, cluster, on_progress)
        )
        result = _searched(context, workspace)
        return replace(result, machine={**machine(), "command": request.command, **facts_of(cluster)})


def _searched(context: Context, workspace: Workspace) -> SearchResult:
    request, images = context.request, context.images
    # Each trial may be held against each at every rung: all intervals of a search hold together.
    comparison = PointComparison(
        objectives=request.objectives,
        equal_pp=request.equal_within_pp,
        equal_latency=request.equal_within_latency,
        z=quantile(len(context.rungs) * request.trials),
    )
    trials = Trials(context, comparison)
    baseline = baseline_of(trials)
    doubts = _doubts(context, baseline)
    for doubt in open_doubts(doubts):
        context.on_progress(Progress(step="model", note=doubt.sentence, line=True))
    loop = TrialLoop(trials, baseline)
    outcomes = loop.run()
    selecting = Selecting(request.limits, comparison, baseline)
    stays = selecting.chosen(outcomes)
    frontier = Measuring(trials, Finals(trials, workspace, baseline), baseline).frontier(stays)
    return SearchResult(
        resnet_edge=__version__,
        versions=versions(),
        machine={},
        model=replace(context.facts, source=request.source_name or context.facts.source),
        data={
            "source": images.source,
            "n": images.n,
            "sha256": images.sha256,
            "labelled": images.labels is not None,
        },
        searched_on=context.searched_on,
        held_out=images.n - context.searched_on,
        objectives=request.objectives,
        backend=request.backend,
        limits=request.limits.given(),
        space={name: request.space.values(name) for name in CHOICES},
        candidates=len(outcomes),
        model_point=frontier.model,
        points=frontier.points,
        trials=tuple(map(selecting.screened, outcomes)),
        study=request.study,
        seed=request.seed,
        equal_within_pp=request.equal_within_pp,
        doubts=doubts,
        notes=(
            *resize_notes(request, context.by_size),
            *loop.notes,
            *trials.networks.trainings.notes(),
            *frontier.notes,
        ),
        costs=context.workers.costs(),
    )


def _doubts(context: Context, baseline: Baseline) -> tuple[Doubt, ...]:
    """Before hours of trials: what is held against a model that is not as it should be proves nothing."""
    images, facts = context.images, context.facts
    answers = images.labels is not None and facts.head.kind in ("classes", "binary")
    return doubts_of(
        facts,
        images,
        baseline.bits.bit_count() if answers else None,
        images.n,
        lineage_of(context.request.model.source, facts.sha256).steps,
        accepted=context.request.accept_reference,
    )


def baseline_of(trials: Trials) -> Baseline:
    """The model's own fp32 file."""
    file = trials.artifacts.float32(trials.networks.original())
    timed = trials.against(file, file)
    return Baseline(file=file, p50_ms=timed.before_ms, bits=trials.reference_bits())
