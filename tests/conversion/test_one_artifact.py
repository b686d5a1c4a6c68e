"""Tests of conversion.one_artifact, with real workers on the bundled network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.conversion.mixed_precision_task import ChooseFloatLayers
from resnet_edge.conversion.one_artifact import FloatGraph, calibrated, written
from resnet_edge.core.files.bundled import MODEL_FILE, bundled
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.source_task import ExportModel, ReadModelFacts
from resnet_edge.models import ModelRequest
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import silent

INT8 = Job(
    format="tflite",
    scheme="int8",
    suffix=".tflite",
    needs_calibration=True,
    min_sqnr_db=None,
    targets=(Target("litert", "cpu"),),
)


@pytest.mark.slow
def test_layers_stay_in_float_and_the_file_has_the_name_that_is_wanted(tmp_path: Path) -> None:
    images = str(tmp_path / "images.npy")
    np.save(images, np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), np.uint8))
    with WorkerPool(tmp_path, grant=Grant(writes=(str(tmp_path),))) as workers:
        source, maker = (workers.worker(name, silent) for name in ("source", "maker"))
        graph = exported(source, tmp_path)
        folder = tmp_path / "ranges"
        folder.mkdir()
        ranges = calibrated(graph, images, folder, maker, calibrator="minmax", repair="none")
        plain = written(graph, INT8, ranges, tmp_path, maker)
        order = ChooseFloatLayers.of(ranges, images, "int8", graph.facts.head, str(folder))
        kept = maker.run(order).after(2).float_layers
        mixed = written(graph, INT8, ranges, tmp_path, maker, name="mixed", float_layers=kept)
    assert plain.file == f"{graph.facts.name}.int8.tflite"
    assert mixed.file == "mixed.tflite"
    assert mixed.size_bytes > plain.size_bytes
    assert plain.file != mixed.file


def exported(source: Worker, folder: Path) -> FloatGraph:
    model, out = ModelRequest(str(bundled(MODEL_FILE))), str(folder / "float.tflite")
    facts = source.run(ReadModelFacts(model=model))
    source.run(ExportModel(model=model, out=out, dynamic_batch=False))
    return FloatGraph(facts=facts, portable=out)
