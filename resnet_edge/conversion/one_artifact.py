"""Runs in the parent. One artifact of one model, step by step, where no report of it is wanted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.calibrate.calibration_task import Calibrate, Calibration, CalibratorName, RepairName
from resnet_edge.conversion.artifact_task import QuantizeGraph, WriteArtifact
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.scheme import Io
from resnet_edge.evaluation.job import Job
from resnet_edge.workers.pool import Worker


@dataclass(frozen=True, kw_only=True)
class FloatGraph:
    """The float portable graph of a model, and its facts."""

    facts: ModelFacts
    portable: str


def calibrated(
    graph: FloatGraph,
    images: str,
    folder: Path,
    maker: Worker,
    *,
    calibrator: CalibratorName,
    repair: RepairName,
    fixed: str | None = None,
) -> Calibration:
    """The ranges of its activations, from `images` (.npy), in `folder`, which is there; `fixed` as Calibrate
    has it. Raises as Calibrate."""
    return maker.run(
        Calibrate(
            portable=graph.portable,
            images=images,
            takes_pixels=graph.facts.preprocessing.takes_pixels,
            head=graph.facts.head,
            threads=usable_cores(),
            folder=str(folder),
            calibrator=calibrator,
            repair=repair,
            fixed=fixed,
        )
    )


def written(
    graph: FloatGraph,
    job: Job,
    ranges: Calibration | None,
    folder: Path,
    maker: Worker,
    *,
    name: str = "",
    io: Io = "float32",
    float_layers: tuple[str, ...] = (),
) -> Artifact:
    """The artifact of a job in `folder`, which is there; `name` is the stem of its file, else that of the
    model. `float_layers`, by their outputs, stay in float. Raises UnsupportedScheme, ArtifactError."""
    parts = folder / "parts"
    parts.mkdir()
    quantized = parts / "portable.tflite"
    maker.run(
        QuantizeGraph(
            float_portable=graph.portable if ranges is None else ranges.portable,
            scheme=job.scheme,
            ranges=None if ranges is None else ranges.ranges,
            output=graph.facts.output,
            io=io,
            out=str(quantized),
            float_layers=float_layers,
            exact=ranges.exact if ranges is not None and float_layers else None,
        )
    )
    try:
        return maker.run(
            WriteArtifact(
                portable=str(quantized),
                format=job.format,
                scheme=job.scheme,
                name=graph.facts.name,
                out=str(folder / f"{name or f'{graph.facts.name}.{job.scheme}'}{job.suffix}"),
                float_layers=float_layers,
            )
        )
    finally:
        shutil.rmtree(parts, ignore_errors=True)
