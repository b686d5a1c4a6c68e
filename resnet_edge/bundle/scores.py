"""Runs in a worker. What the files of a bundle must give, and how far runtimes are from it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.bundle import acceleration as bundle_acceleration
from resnet_edge.bundle.task import (
    ClassCounts,
    CompareScores,
    CountClasses,
    ExpectScores,
    GoldenWritten,
    Picked,
    PickGoldenImages,
    ScoresApart,
    WidenImages,
    WriteGoldenVectors,
)
from resnet_edge.bundle.tolerances import BundledScores, runtime_tolerances
from resnet_edge.core import registry
from resnet_edge.core.answers import answers, changed, grouped, margins, right
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.head import Head
from resnet_edge.core.neighbours import strangers
from resnet_edge.core.results.bundle import (
    BundledFile,
    ClassCount,
    Golden,
    GoldenImage,
    GoldenScores,
)
from resnet_edge.data.blocks import blocks
from resnet_edge.data.image_file import open_images
from resnet_edge.evaluation.outputs import as_probabilities
from resnet_edge.evaluation.predict import stored
from resnet_edge.golden.png import png
from resnet_edge.workers.progress import OnProgress


def expected(request: ExpectScores, on_progress: OnProgress) -> WrittenFile:
    """What a file must give, from what its artifact gives."""
    scores = np.load(request.anchor).astype(np.float64)
    ours, wanted = request.head, request.wanted
    if ours.output == "logits" and wanted.output == "probabilities":
        scores = as_probabilities(scores, ours.separate)
    if ours.outputs == 1 < wanted.outputs:
        scores = np.concatenate([1 - scores, scores], axis=1)
    np.save(request.out, scores.astype(np.float32))
    return WrittenFile(request.out)


def widen(request: WidenImages, on_progress: OnProgress) -> WrittenFile:
    """Grey as red, green and blue."""
    images = open_images(Path(request.images))
    wide = open_memmap(request.out, mode="w+", dtype=images.dtype, shape=(*images.shape[:3], 3))
    done = 0
    for block in blocks(Path(request.images)):
        wide[done : done + len(block)] = block  # one channel is repeated
        done += len(block)
    wide.flush()
    return WrittenFile(request.out)


def apart(request: CompareScores, on_progress: OnProgress) -> ScoresApart:
    """Compare scores. Raises DataError where there is nothing to compare, or NaN or Inf."""
    wanted, actual = np.load(request.expected), np.load(request.actual)
    counterpart = np.load(request.counterpart)
    if wanted.shape != actual.shape or not len(wanted) or not request.rows:
        raise DataError(f"scores {actual.shape} and {wanted.shape}: there is nothing to compare")
    if not np.isfinite(actual).all():
        raise DataError("some scores are no finite numbers")
    same = _same(request.head, wanted, actual)
    return ScoresApart(
        n=len(wanted),
        same_top1=int(same.sum()),
        golden_same_top1=int(same[list(request.rows)].sum()),
        values=wanted.size,
        identical=int(np.count_nonzero(counterpart == actual)),
        max_abs=float(np.abs(wanted.astype(np.float64) - actual).max()),
    )


def _same(head: Head, wanted: NDArray[Any], actual: NDArray[Any]) -> NDArray[np.bool_]:
    """On which images (N,) the answer is the same; of an embedding, where it is its own image's."""
    if head.kind == "embedding":
        return ~strangers(wanted, actual)
    return ~changed(answers(head, wanted), answers(head, actual))


def classes(request: CountClasses, on_progress: OnProgress) -> ClassCounts:
    """Count right answers, class by class."""
    answer, labels = answers(request.head, np.load(request.anchor)), np.load(request.labels)
    if labels.ndim == 2:  # of the images that have a label, those that are given it
        return ClassCounts(
            tuple(
                ClassCount(name, int(own.sum()), int(given[own == 1].sum()))
                for name, own, given in zip(request.names, labels.T, answer.T, strict=True)
            )
        )
    return ClassCounts(
        tuple(
            ClassCount(name, int((labels == label).sum()), int((answer[labels == label] == label).sum()))
            for label, name in enumerate(request.names)
        )
    )


def pick(request: PickGoldenImages, on_progress: OnProgress) -> Picked:
    """Golden images, class after class. Raises DataError where images are no pictures, or none will do."""
    images, scores = open_images(Path(request.images)), np.load(request.anchor)
    if images.dtype != np.uint8:
        raise DataError("golden images are pictures, and the data holds floats: give bytes, 0 to 255")
    labels = np.load(request.labels) if request.labels is not None else None
    rows = _rows(scores, request.head, labels, request.count)
    files = []
    for number, row in enumerate(rows):
        pixels = images[row]
        if pixels.shape[-1] in (1, 3):
            name = f"{number:02d}.png"
            (Path(request.folder) / name).write_bytes(png(pixels))
        else:  # no picture: decoders of PNG multiply the other channels by the fourth
            name = f"{number:02d}.bin"
            (Path(request.folder) / name).write_bytes(pixels.tobytes())
        files.append(name)
    one = labels if labels is not None and labels.ndim == 1 else None
    known = tuple(None if one is None else int(one[row]) for row in rows)
    return Picked(tuple(rows), tuple(files), known)


def _rows(scores: NDArray[Any], head: Head, labels: NDArray[Any] | None, count: int) -> list[int]:
    """Rows of right answers, of each class (or set of labels) in turn: no close ones, on which runtimes may
    well differ, and not the clearest either. Of a class, the median by how far the answer is before the next
    one comes first, and then those above it."""
    margin, answer = margins(head, scores), answers(head, scores)
    good = np.ones(len(scores), bool) if labels is None else right(head, answer, labels)
    groups = grouped(head, answer, labels)
    queues = []
    for group in np.unique(groups[good]):
        rows = np.flatnonzero(good & (groups == group))
        rows = rows[np.argsort(margin[rows], kind="stable")]
        queues.append([int(row) for row in rows[len(rows) // 2 :]])
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop(0) for queue in queues if queue]
    if not chosen:
        raise DataError("the model is right on no image: there is nothing to make golden vectors of")
    return chosen[:count]


def golden(request: WriteGoldenVectors, on_progress: OnProgress) -> GoldenWritten:
    """The golden vectors of every file, those of TFLite files for Android's Acceleration Service as well."""
    pixels = open_images(Path(request.images))[list(request.picked.rows)]
    pictures = tuple(
        GoldenImage(f"golden/images/{name}", _sha256((Path(request.folder) / name).read_bytes()), label)
        for name, label in zip(request.picked.files, request.picked.labels, strict=True)
    )
    golden_scores: list[GoldenScores] = []
    beyond: list[str] = []
    for number, file in enumerate(request.files):
        scores = BundledScores(
            file=file,
            head=request.head,
            artifact=np.load(request.anchors[number]).astype(np.float32),
            expected=np.load(request.expected[number]),
        )
        file_scores, findings = _of_file(scores, request, pixels, request.measured[number])
        golden_scores.append(file_scores)
        beyond += findings
    return GoldenWritten(Golden(pictures, tuple(golden_scores)), tuple(beyond))


def _of_file(
    scores: BundledScores, request: WriteGoldenVectors, pixels: NDArray[Any], measured: dict[str, float]
) -> tuple[GoldenScores, tuple[str, ...]]:
    file, picked = scores.file, list(request.picked.rows)
    wide = np.repeat(pixels, 3, axis=-1) if file.input.shape[3] == 3 != pixels.shape[-1] else pixels
    tensors, rows = stored(wide, file.input), scores.expected[picked]
    if file.format == "tflite" and registry.load("bundle.targets", file.profile).PHONES:
        bundle_acceleration.write(Path(request.folder).parent, file, tensors, rows)
    path, digest = _scores_file(Path(request.folder).parent, file, rows)
    limits, beyond = runtime_tolerances(scores, picked, measured)
    golden_scores = GoldenScores(
        file=file.path,
        inputs_sha256=tuple(_sha256(tensor.tobytes()) for tensor in tensors),
        scores=path,
        scores_sha256=digest,
        tolerances=limits,
    )
    return golden_scores, beyond


def _scores_file(golden: Path, file: BundledFile, rows: NDArray[Any]) -> tuple[str, str]:
    """The scores as a file of the bundle, its path there and its hash. What a model file must give depends on
    its artifact and its head alone. Raises DataError for scores that are no finite numbers."""
    if not np.isfinite(rows).all():
        raise DataError(
            f"{file.path} gives scores that are no finite numbers on a golden image: convert the model again"
        )
    out = golden / "scores" / f"{file.source}.{rows.shape[1]}-{file.scores}.bin"
    out.parent.mkdir(exist_ok=True)
    content = rows.astype("<f4").tobytes()
    out.write_bytes(content)
    return f"golden/scores/{out.name}", _sha256(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
