"""Runs in the parent. Golden vectors of what `verify` has just proved."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import OutputError
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.golden.task import MeasuredArtifact, MeasuredRun, SaveGoldenVectors
from resnet_edge.verification.reference import Reference
from resnet_edge.workers.pool import Worker


def save_golden(
    out: Path,
    count: int,
    judged: list[Judgement],
    images: Images,
    expected: Reference,
    worker: Worker,
    scratch: Path,
) -> tuple[str, ...]:
    """Golden vectors of what passed, to `out`, and notes: a device is not to be held to wrong answers, and
    where nothing passed, there are none. `worker` writes them into `scratch` alone. Raises OutputError."""
    passed: dict[str, list[Judgement]] = {}
    for judgement in judged:
        passed.setdefault(judgement.proof.artifact.path, []).append(judgement)
    passed = {
        path: rows for path, rows in passed.items() if all(row.parity.verdict == "pass" for row in rows)
    }
    if not passed:
        return (f"no golden vectors: they are made of artifacts that pass, and {out} was not written",)
    facts = expected.facts
    request = SaveGoldenVectors(
        out=str(scratch / "golden.npz"),
        count=min(count, images.n),
        images=images.images,
        labels=images.labels,
        reference=expected.outputs,
        artifacts=tuple(_measured(rows) for rows in passed.values()),
        model=facts.name,
        model_sha256=facts.sha256,
        data=images.source,
        data_sha256=images.sha256,
        head=facts.head,
        class_names=images.class_names or facts.class_names,
    )
    saved = worker.run(request)
    try:
        write_whole(out, Path(saved.path).read_bytes())
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}") from error
    summary = f"golden vectors of {saved.images} images and {saved.artifacts} artifacts: {out}"
    return (summary, *saved.notes)


def _measured(rows: list[Judgement]) -> MeasuredArtifact:
    """An artifact and what it gave, wherever it ran."""
    artifact = rows[0].proof.artifact
    runs = tuple(MeasuredRun(r.proof.target.backend, r.proof.target.device, r.outputs) for r in rows)
    quantization = artifact.outputs[0].quantization if artifact.outputs else None
    return MeasuredArtifact(
        path=artifact.path,
        format=artifact.format,
        scheme=artifact.scheme,
        runs=runs,
        step=None if quantization is None else quantization.scale,
    )
