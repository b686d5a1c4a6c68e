"""Tests of verification.golden_saving, with its worker in this process."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.errors import OutputError
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.golden.file import read_golden
from resnet_edge.golden.save import save
from resnet_edge.golden.task import Saved, SaveGoldenVectors
from resnet_edge.verification.golden_saving import save_golden
from resnet_edge.verification.reference import Reference
from resnet_edge.workers.progress import silent
from tests.golden import goldens
from tests.report.conftest import proof
from tests.verification.looking import facts


class Here:
    """A worker that runs in this process."""

    def run(self, task: SaveGoldenVectors, *_: Any) -> Saved:
        return save(task, silent)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    goldens.write(tmp_path, "onnx")
    goldens.prepare(tmp_path)
    (tmp_path / "scratch").mkdir()
    return tmp_path


def judged(folder: Path, file: str, verdict: Verdict, backend: str = "onnxruntime") -> Judgement:
    measured = goldens.measured(folder / file, folder)
    artifact = Artifact(
        path=measured.path,
        format="onnx",
        scheme="int8",
        size_bytes=1,
        sha256=sha256_of(folder / file),
        inputs=(),
        outputs=(),
    )
    target = Target(backend, "cpu")
    job = Job(
        format="onnx",
        scheme="int8",
        suffix=".onnx",
        needs_calibration=True,
        min_sqnr_db=None,
        targets=(target,),
    )
    row: Parity = replace(proof("a.int8.onnx"), artifact=file, backend=backend, verdict=verdict)
    return Judgement(
        proof=Evaluation(artifact=artifact, job=job, target=target, outputs=Future()),
        parity=row,
        outputs=measured.runs[0].outputs,
        by_rounding=False,
    )


def saved(folder: Path, *rows: Judgement, out: str = "golden.npz") -> tuple[str, ...]:
    golden = goldens.request(folder, goldens.measured(folder / "uint8.onnx", folder))
    images = Images(
        images=golden.images,
        labels=golden.labels,
        n=goldens.N,
        class_names=(),
        source="test images",
        sha256="ef" * 32,
    )
    expected = Reference(replace(facts("cd" * 32), head=golden.head), golden.reference)
    return save_golden(
        *(folder / out, 12, list(rows), images, expected),
        Here(),  # type: ignore[arg-type]  # it runs what a worker would
        folder / "scratch",
    )


def test_what_passed_everywhere_is_in_it(folder: Path) -> None:
    (note, *_) = saved(folder, judged(folder, "uint8.onnx", "pass"))
    assert note == f"golden vectors of 12 images and 1 artifacts: {folder / 'golden.npz'}"
    (artifact,) = read_golden(folder / "golden.npz").vectors.artifacts
    assert artifact.sha256 == sha256_of(folder / "uint8.onnx")


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_no_device_is_held_to_answers_that_are_wrong_somewhere(folder: Path, verdict: Verdict) -> None:
    rows = judged(folder, "uint8.onnx", "pass"), judged(folder, "uint8.onnx", verdict, "openvino")
    (note,) = saved(folder, *rows)
    assert note.startswith("no golden vectors: they are made of artifacts that pass")
    assert not (folder / "golden.npz").exists()


def test_a_file_that_cannot_be_written_is_told(folder: Path) -> None:
    with pytest.raises(OutputError, match=r"absent/golden\.npz cannot be written: No such file"):
        saved(folder, judged(folder, "uint8.onnx", "pass"), out="absent/golden.npz")
