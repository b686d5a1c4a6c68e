"""Runs in a worker. From the float portable graph to artifacts; needs no TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge.conversion.artifact_task import QuantizeGraph, WriteArtifact
from resnet_edge.conversion.runtime_check import check
from resnet_edge.core import registry
from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.scheme import Scheme
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.progress import OnProgress, Progress


def portable(request: QuantizeGraph, on_progress: OnProgress) -> WrittenFile:
    """Write the portable graph under the scheme."""
    from resnet_edge.calibrate.calibration import read_ranges
    from resnet_edge.graph.interface import set_interface
    from resnet_edge.graph.model import read_graph
    from resnet_edge.graph.quantization.additions import aligned_ranges, unsettled
    from resnet_edge.graph.quantization.mixture import write_mixture
    from resnet_edge.graph.quantization.quantize import quantize

    on_progress(Progress(step=f"quantize {request.scheme}", done=0, total=1))
    out, scheme = Path(request.out), replace(_scheme(request.scheme), dense_scales=request.dense_scales)
    known = None
    if request.ranges is not None:
        known = read_ranges(Path(request.ranges), scheme.activations)
    source, kept = Path(request.float_portable), request.float_layers
    if kept and request.exact is not None:
        source = out.with_suffix(".float.tflite")
        write_mixture(Path(request.float_portable), Path(request.exact), kept, source)
    quantize(source, scheme, known, out, kept)
    notes: tuple[str, ...] = ()
    if known is not None and scheme.activations == "int8":
        quantize(source, scheme, aligned_ranges(read_graph(out), known), out, kept)
        apart = unsettled(read_graph(out))
        if apart:
            notes = (f"runtimes may round {len(apart)} additions apart by a step: {', '.join(apart)}",)
    notes += set_interface(out, request.output, request.io, whole=request.integer_scores)
    on_progress(Progress(step=f"quantize {request.scheme}", done=1, total=1))
    return WrittenFile(request.out, notes)


def artifact(request: WriteArtifact, on_progress: OnProgress) -> Artifact:
    """Write one artifact and read back what it declares. Raises UnsupportedScheme where a runtime that was
    asked for is too old for it."""
    step = f"write {request.format} {request.scheme}"
    on_progress(Progress(step=step, done=0, total=1))
    room = registry.load("formats", request.format)
    out = Path(request.out)
    scheme = _scheme(request.scheme)
    order = {"channels_first": True} if request.channels_first else {}
    converter = room.write(Path(request.portable), scheme, request.name, out, request.float_layers, **order)
    check(out, request.format, request.scheme, request.runtimes)
    inputs, outputs = room.describe(out)
    on_progress(Progress(step=step, done=1, total=1))
    return Artifact(
        path=str(out),
        format=request.format,
        scheme=request.scheme,
        size_bytes=out.stat().st_size,
        sha256=sha256_of(out),
        inputs=inputs,
        outputs=outputs,
        converter=converter,
    )


def _scheme(name: str) -> Scheme:
    scheme = scheme_of(name)
    return scheme
