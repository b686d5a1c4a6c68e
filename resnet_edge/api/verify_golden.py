"""`resnet_edge.verify_golden`: what `resnet-edge verify --golden FILE` does."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.api.checked import checked
from resnet_edge.api.names import Backends
from resnet_edge.api.names import backends as backends_in
from resnet_edge.api.reports import GoldenReport, extended
from resnet_edge.api.values import Artifacts, paths_of
from resnet_edge.core.errors import UsageError
from resnet_edge.golden.replay import replay
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.temporary import temporary
from resnet_edge.workers.variables import check_variables


@checked
def verify_golden(
    golden: str | Path,
    artifacts: Artifacts,
    *,
    backends: Backends | None = None,
    on_progress: OnProgress = silent,
) -> GoldenReport:
    """Hold artifacts against golden vectors that `verify` saved: without Keras, as on a device.

    `artifacts` are paths of the files that `golden` was saved of; their names do not matter. `backends` None:
    the one that each was proved on. Raises UsageError, UnknownName, ArtifactError, DataError, OutputError,
    MissingDependency, HostUnavailable, WorkerFailed.
    """
    check_variables()
    files = paths_of(artifacts)
    if not files:
        raise UsageError("nothing to verify: name the artifacts that the golden vectors are of")
    places = () if backends is None else backends_in(backends)
    with temporary() as (scratch, logs), WorkerPool(logs, grant=Grant(writes=(str(scratch),))) as workers:
        return extended(GoldenReport, replay(Path(golden), files, places, workers, scratch, on_progress))
