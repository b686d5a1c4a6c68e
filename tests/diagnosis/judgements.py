"""Verdicts as proofs give them, and a pool of workers of a run that is over."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from resnet_edge.core.artifact import Artifact, TensorSpec
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.pool import WorkerPool

IMAGES = Images(images="images.npy", labels=None, n=10, class_names=(), source="", sha256="")


def judged(
    file: str = "net.onnx",
    *,
    scheme: str = "int8",
    backend: str = "onnxruntime",
    verdict: Verdict = "pass",
    by_rounding: bool = False,
) -> Judgement:
    """Of an artifact on a CPU; its outputs are never asked for."""
    entry, end = TensorSpec("image", (1, 8, 8, 1), "float32", None), TensorSpec("y", (1, 5), "float32", None)
    format = file.rsplit(".", 1)[-1]
    artifact = Artifact(
        path=file, format=format, scheme=scheme, size_bytes=1, sha256="0", inputs=(entry,), outputs=(end,)
    )
    target = Target(backend, "cpu")
    job = Job(
        format=format,
        scheme=scheme,
        suffix=f".{format}",
        needs_calibration=False,
        min_sqnr_db=20.0,
        targets=(target,),
    )
    row = Parity(
        artifact=artifact.file,
        backend=backend,
        device="cpu",
        n=10,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=1.0,
        max_abs=0.0,
        sqnr_db=40.0,
        verdict=verdict,
        reasons=("fine",),
    )
    return Judgement(
        Evaluation(artifact=artifact, job=job, target=target, outputs=Future()),
        "outputs.npy",
        row,
        by_rounding,
    )


def ended(logs: Path) -> WorkerPool:
    """Whose workers refuse each task: nothing that is asked of them is found."""
    pool = WorkerPool(logs)
    pool.close()
    return pool
