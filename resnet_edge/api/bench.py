"""`resnet_edge.bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge.api.reports import BenchReport, extended
from resnet_edge.api.values import Words, choices, paths_of
from resnet_edge.benchmarking.bench import BenchRequest
from resnet_edge.benchmarking.bench import bench as run
from resnet_edge.benchmarking.files import bench_files
from resnet_edge.core.errors import UsageError
from resnet_edge.report.bench_page import bench_page
from resnet_edge.report.whole_file import check_page, write_whole
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


def bench(
    paths: Any,
    *,
    backends: Words | None = None,
    threads: int = 1,
    batch: int = 1,
    budget: float = 60.0,
    profile: bool = False,
    html: str | Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.bench(…)",
) -> BenchReport:
    """Measure the latency of artifacts across backends, so that it holds when repeated.

    `paths` are artifacts, Keras models, folders that `convert` wrote, or its report; `budget` is in seconds.
    All else is as `resnet-edge bench --help` says. What could not be timed is in `failures`; `conclusive`
    tells whether every figure holds. Raises UsageError, UnknownName, ArtifactError, DeviceUnavailable,
    MissingDependency, OutputError.
    """
    check_variables()
    files = paths_of(paths)
    if not files:
        raise UsageError("name artifacts, or a folder that `resnet-edge convert` wrote")
    if html is not None:
        check_page("--html", Path(html), overwrite)
    elif overwrite:
        raise UsageError("--overwrite is for the page: name it with --html")
    request = BenchRequest(
        files=bench_files(files),
        backends=() if backends is None else choices("backends", backends),
        threads=threads,
        batch=batch,
        budget_seconds=budget,
        seed=seed,
        profile=profile,
        command=command,
    )
    found = extended(BenchReport, run(request, on_progress))
    if html is not None:
        write_whole("--html", Path(html), bench_page(found))
    return found
