"""Runs in the parent. From a request to what all trials start from."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.core import registry
from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.machine import usable_cores
from resnet_edge.evaluation.cluster import Cluster, check_runtimes
from resnet_edge.evaluation.hosts import offers, workers_of
from resnet_edge.evaluation.job import Job, Offer
from resnet_edge.evaluation.reference_shards import ReferenceShards
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.evaluation.source_task import ReadModelFacts
from resnet_edge.evaluation.witnessing import witnessed
from resnet_edge.models import grant_of
from resnet_edge.schemes import baseline
from resnet_edge.searching.context import Context
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.sizes import InputSizes, fitting
from resnet_edge.searching.store import SearchStore
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, silent

FEW, MANY = 200, 1000
"""Images of the first two rungs; the last are all that trials see."""


@contextmanager
def prepared(
    request: SearchRequest,
    workspace: Workspace,
    store: SearchStore,
    workers: WorkerPool,
    pool: ThreadPoolExecutor,
    cluster: Cluster | None,
    on_progress: OnProgress,
) -> Iterator[Context]:
    """Until the block ends. Raises what opening the model, the data and the backend raises."""
    check_runtimes(cluster, (request.backend,))
    (offer,) = offers(workers, (request.backend,), on_progress, here=True)
    source = workers.worker("source", on_progress, grant_of(request.model) | _writes(store))
    maker = workers.worker("artifacts", silent, backends_grant((request.backend,)) | _writes(store))
    counter = workers.worker("answers", silent)
    clock = workers.worker("latency", silent, backends_grant((request.backend,)), offer.target.host)
    jobs = _jobs(request, offer, maker)
    facts = source.run(ReadModelFacts(model=request.model))
    request = fitting(request, facts)
    sizes = InputSizes(
        request=request,
        facts=facts,
        workspace=workspace,
        workers=workers,
        store=store,
        source=source,
        on_progress=on_progress,
    )
    by_size = sizes.prepared()
    images = by_size[facts.input_shape[0], facts.input_shape[1]].images
    witnessed(source, request.model, images)
    shards = ReferenceShards(request.model, source, workspace.scratch, workers, on_progress, cluster)
    outputs = shards.outputs(images, facts, str(workspace.scratch / "reference.npy"))
    with Scheduler(
        *(workers, pool, workspace.scratch, silent),
        backends_grant((request.backend,)) | _writes(store),
        workers_of((offer,)) if offer.target.host else {},
        cluster,
    ) as scheduler:
        yield Context(
            request=request,
            facts=facts,
            sizes=sizes,
            by_size=by_size,
            rungs=_rungs(images.n),
            reference=outputs,
            jobs=jobs,
            target=offer.target,
            store=store,
            scratch=workspace.scratch,
            logs=workspace.logs,
            workers=workers,
            scheduler=scheduler,
            source=source,
            maker=maker,
            counter=counter,
            clock=clock,
            on_progress=on_progress,
            cluster=cluster,
        )


def _writes(store: SearchStore) -> Grant:
    return Grant(writes=(str(store.folder.absolute()),))


def _jobs(request: SearchRequest, offer: Offer, maker: Worker) -> dict[str, Job]:
    """By scheme, in the first format that the backend opens; with the scheme that rounds nothing."""
    if not 1 <= request.threads <= usable_cores():
        raise UsageError(f"--threads {request.threads}: this process may use {usable_cores()} cores")
    name = next((name for name in registry.names("formats") if name in offer.formats), None)
    if name is None:
        raise UsageError(f"--backend {request.backend} opens none of the formats that are written here")
    schemes = tuple(dict.fromkeys((baseline(), *request.space.scheme)))
    plan = maker.run(
        PlanArtifacts(
            formats=(name,), schemes=schemes, backends=(request.backend,), io="float32", offers=(offer,)
        )
    )
    return {job.scheme: job for job in plan.jobs}


def _rungs(n: int) -> tuple[int, ...]:
    """Of the images half are for the trials; the others show what was chosen."""
    searched_on = n // 2
    return (*(rung for rung in (FEW, MANY) if rung < searched_on), searched_on)
