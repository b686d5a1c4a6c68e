"""Runs in a worker. Every reader of third-party files, by the name of what it reads.

Each is the code that the commands run, called in the order in which they call it, so that one process reads
hundreds of files a minute.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.workers.progress import OnProgress, silent

CPU_SECONDS = 60.0
"""Of one reading; SIGPROF then ends the process, wherever it is. A damaged HDF5 file is ended by SIGALRM
after as long (models/_hdf5.py)."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read: a file, or a folder, at `path` by the reader of `kind`."""

    kind: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """It is taken."""

    taken: bool = True


def read(request: Reading, on_progress: OnProgress) -> Read:
    """Raises ResnetEdgeError, and nothing else is right."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        READERS[request.kind](Path(request.path))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Read()


def _model(path: Path) -> None:
    from resnet_edge.models import ModelRequest, grant_of, kind_module, open_model
    from resnet_edge.models._look import ScanHdf5File, ScanKerasFile

    request = ModelRequest(str(path), preprocess="unit")
    kind_module(request).check(request)
    task = (ScanHdf5File if kind_module(request).__name__.endswith(".h5") else ScanKerasFile)(model=request)
    kind_module(request).scan(task, silent)  # for which `check_source` starts a worker of its own
    grant_of(request)
    open_model(request, silent)


def _inspected(path: Path) -> None:
    from resnet_edge.cli._inspect import print_inspection
    from resnet_edge.inspection.inspect import _format
    from resnet_edge.inspection.inspect_task import InspectFile
    from resnet_edge.inspection.inspect_worker import inspect

    print_inspection(inspect(InspectFile(path=str(path), format=_format(path)), silent))


def _run(path: Path) -> None:
    """As `bench`, `verify` and `inspect --data` do before anything is compared."""
    import numpy as np

    from resnet_edge.core.budget import PROMISE
    from resnet_edge.core.registry import load
    from resnet_edge.evaluation.first_backend import FIRST_BACKEND

    format = path.suffix[1:]
    if format != "ort":
        load("formats", format).describe(path)
        load("formats", format).census(path)
    with load("backends", FIRST_BACKEND[format]).open_session(path, "cpu", 1) as session:
        shape = [size or 1 for size in session.input.shape]
        if np.prod(shape, dtype=float) * 4 < PROMISE / 10:
            session.run(np.zeros(shape, session.input.dtype))


def _data(path: Path) -> None:
    from resnet_edge.core.budget import check_data
    from resnet_edge.data.load import load

    check_data(str(path))
    load(str(path), "test", (8, 8, 1)).images[:]


def _converted(path: Path) -> None:
    from dataclasses import replace

    from resnet_edge.benchmarking.accuracy import accuracy_of
    from resnet_edge.benchmarking.files import bench_files
    from resnet_edge.bundle.converted import read_converted
    from resnet_edge.report.bundle.model_card import card_markdown, model_card
    from resnet_edge.verification.reported import hashes_reported
    from tests.report.bundle.bundles import bundle

    files = bench_files((path,))
    accuracy_of(files, {file.name: "" for file in files})
    hashes_reported((path,))
    converted = read_converted(path)
    for artifact in converted.artifacts:
        converted.unproved(artifact)
    package = bundle()
    sources = tuple(replace(package.facts.files[0], source=artifact.file) for artifact in converted.artifacts)
    package = replace(package, facts=replace(package.facts, files=sources))
    card_markdown(model_card(package, converted.document, "resnet-edge package", "", ""))


def _bench(path: Path) -> None:
    from resnet_edge.benchmarking.compare import compared, read_bench
    from resnet_edge.cli._bench_compare import print_comparison

    bench = read_bench(path)
    print_comparison(compared(bench, bench))


def _search(path: Path) -> None:
    """As `search --from` shows and picks, and as its page and its notebook are made."""
    import tempfile

    from resnet_edge.api.load_report import load_report
    from resnet_edge.api.reports import SearchReport
    from resnet_edge.cli._search import print_frontier
    from resnet_edge.core.errors import DataError
    from resnet_edge.report.html.page import page
    from resnet_edge.report.markdown import markdown
    from resnet_edge.report.search_sections import search_document

    report = load_report(path)
    if not isinstance(report, SearchReport):
        raise DataError("no search")
    print_frontier(report, width=80)
    report.to_dict(), report._repr_html_(), report.trouble, report.exit_code
    page(search_document(report))
    markdown(search_document(report))
    with tempfile.TemporaryDirectory() as folder:
        report.write("drop<=100,size", Path(folder, "dist"))


def _space(path: Path) -> None:
    from resnet_edge.searching.space_file import read_space

    read_space(path)


def _sidecar(path: Path) -> None:
    """Of a model beside it; and how reports tell what it says."""
    from dataclasses import replace

    from resnet_edge.core.sidecar import lineage_of
    from resnet_edge.report.contract import encode
    from resnet_edge.report.convert_sections import convert_document
    from resnet_edge.report.html.page import page
    from resnet_edge.report.markdown import markdown
    from tests.hostile import seeds

    model = path.with_suffix(".keras")
    steps = lineage_of(model, seeds.SHA).steps
    report = replace(seeds.report(path.parent / "converted"), history=steps)
    encode(report)
    markdown(convert_document(report))
    page(convert_document(report))


def _golden(path: Path) -> None:
    from resnet_edge.golden.file import read_golden

    read_golden(path)


def _preprocessing(path: Path) -> None:
    from resnet_edge.core.preprocessing import preprocessing

    preprocessing(str(path))


def _resize(path: Path) -> None:
    from resnet_edge.core.image_contract import contract

    contract(str(path), 8, 8, 1)


def _labels(path: Path) -> None:
    from resnet_edge.bundle.converted import check_apart
    from resnet_edge.data.class_names import class_names_in

    check_apart(path, class_names_in(path))


def _checkpoint(path: Path) -> None:
    from resnet_edge.training.checkpoint import Checkpoint
    from resnet_edge.training.fit import _history_in
    from tests.hostile import seeds

    Checkpoint(path, 3).restore(seeds.trained())
    _history_in(path / "history.json")


READERS: dict[str, Callable[[Path], None]] = {
    "keras": _model,
    "h5": _model,
    "keras2": _model,
    "tflite": _inspected,
    "metadata": _inspected,
    "onnx": _inspected,
    "ort": _inspected,
    "tflite run": _run,
    "onnx run": _run,
    "npz": _data,
    "folder": _data,
    "tar": _data,
    "tfrecord": _data,
    "parquet": _data,
    "report": _converted,
    "bench": _bench,
    "search": _search,
    "space": _space,
    "sidecar": _sidecar,
    "golden": _golden,
    "preprocessing": _preprocessing,
    "resize": _resize,
    "labels": _labels,
    "checkpoint": _checkpoint,
}
