"""`resnet_edge.bench`."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.api.checked import AtLeast0, AtLeast1, Positive, checked
from resnet_edge.api.names import Backends
from resnet_edge.api.names import backends as backends_in
from resnet_edge.api.reports import BenchReport, extended
from resnet_edge.api.values import Artifacts, paths_of
from resnet_edge.benchmarking.bench import BenchRequest
from resnet_edge.benchmarking.everywhere import bench_everywhere
from resnet_edge.benchmarking.files import bench_files
from resnet_edge.core.errors import UsageError
from resnet_edge.report.bench_sections import bench_document
from resnet_edge.report.html.page import page
from resnet_edge.report.junit import junit as junit_xml
from resnet_edge.report.junit import timed
from resnet_edge.report.whole_file import check_page, check_writable, write_whole
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


@checked
def bench(
    paths: Artifacts,
    *,
    backends: Backends | None = None,
    threads: AtLeast1 = 1,
    batch: AtLeast1 = 1,
    budget: Positive = 60.0,
    profile: bool = False,
    accept_noise: bool = False,
    html: str | Path | None = None,
    overwrite: bool = False,
    seed: AtLeast0 = 0,
    junit: str | Path | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.bench(…)",
) -> BenchReport:
    """Measure the latency of artifacts across backends, so that it holds when repeated.

    `paths` are artifacts, Keras models, folders that `convert` wrote, or its report; `budget` is in seconds.
    All else is as `resnet-edge bench --help` says. What could not be timed is in `failures`; `conclusive`
    tells whether every figure holds, which `accept_noise` leaves as it is: it makes `exit_code` 0. Raises
    UsageError, UnknownName, ArtifactError, DeviceUnavailable, MissingDependency, OutputError, and
    HostUnavailable where hosts alone were named and none is reached.
    """
    check_variables()
    files = paths_of(paths)
    if not files:
        raise UsageError("name artifacts, or a folder that `resnet-edge convert` wrote")
    if html is not None:
        check_page("--html", Path(html), overwrite)
    if junit is not None:
        check_writable("--junit", Path(junit), overwrite)
    if overwrite and (html, junit) == (None, None):
        raise UsageError("--overwrite is for what is written: name it with --html or --junit")
    request = BenchRequest(
        files=bench_files(files),
        backends=() if backends is None else backends_in(backends),
        threads=threads,
        batch=batch,
        budget_seconds=budget,
        seed=seed,
        profile=profile,
        accept_noise=accept_noise,
        command=command,
    )
    report = extended(BenchReport, bench_everywhere(request, on_progress))
    if html is not None:
        write_whole("--html", Path(html), page(bench_document(report)))
    if junit is not None:
        write_whole("--junit", Path(junit), junit_xml("resnet-edge bench", timed(report)))
    return report
