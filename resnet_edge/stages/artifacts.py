"""Runs in a worker. From the float portable graph to artifacts; needs no TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np

from resnet_edge.core import registry
from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.progress import Progress, Report, tracked
from resnet_edge.core.scheme import Scheme
from resnet_edge.stages.calls import (
    ArtifactRequest,
    Done,
    PortableRequest,
    RangesRequest,
    RangesResult,
)


def ranges(request: RangesRequest, report: Report) -> RangesResult:
    """Measure activation ranges on every calibration image. Raises DataError."""
    from resnet_edge.graph.calibrate import measure_ranges

    images = np.load(request.images, mmap_mode="r")
    rows = (np.asarray(images[row : row + 1], np.float32) for row in range(len(images)))
    found = measure_ranges(
        Path(request.portable),
        tracked(rows, "calibrate", len(images), report),
        takes_pixels=request.takes_pixels,
        threads=request.threads,
    )
    Path(request.out).write_text(json.dumps(found))
    return RangesResult(len(found), len(images))


def portable(request: PortableRequest, report: Report) -> Done:
    """Write the portable graph under the scheme."""
    from resnet_edge.graph.additions import aligned_ranges, unsettled
    from resnet_edge.graph.interface import set_interface
    from resnet_edge.graph.model import read_graph
    from resnet_edge.graph.quantize import quantize

    report(Progress(f"quantize {request.scheme}", 0, 1))
    known = None
    if request.ranges is not None:
        known = msgspec.json.decode(Path(request.ranges).read_bytes(), type=dict[str, tuple[float, float]])
    out, scheme = Path(request.out), _scheme(request.scheme)
    quantize(Path(request.float_portable), scheme, known, out)
    notes: tuple[str, ...] = ()
    if known is not None and scheme.activations == "int8":
        quantize(Path(request.float_portable), scheme, aligned_ranges(read_graph(out), known), out)
        apart = unsettled(read_graph(out))
        if apart:
            notes = (f"runtimes may round {len(apart)} additions apart by a step: {', '.join(apart)}",)
    set_interface(out, request.output, request.io)
    report(Progress(f"quantize {request.scheme}", 1, 1))
    return Done(request.out, notes)


def artifact(request: ArtifactRequest, report: Report) -> Artifact:
    """Write one artifact and read back what it declares."""
    step = f"write {request.format} {request.scheme}"
    report(Progress(step, 0, 1))
    room = registry.load("formats", request.format)
    out = Path(request.out)
    converter = room.write(Path(request.portable), _scheme(request.scheme), request.name, out)
    inputs, outputs = room.describe(out)
    report(Progress(step, 1, 1))
    return Artifact(
        str(out),
        request.format,
        request.scheme,
        out.stat().st_size,
        sha256_of(out),
        inputs,
        outputs,
        converter,
    )


def _scheme(name: str) -> Scheme:
    scheme: Scheme = registry.load("schemes", name).SCHEME
    return scheme
