"""Runs in a worker. The gap between a model and an artifact, split into the steps between them.

    before pruning ─► model ─► on the pixels that it sees ─► float graph ─► file as written ─► backend
               pruning   preprocessing            conversion     quantization        kernels

All on the same images, so that the drops of the steps sum up to the whole one, and each has a paired
interval.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion, statistics
from resnet_edge.core.answers import answers, centred_scores
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.head import Head
from resnet_edge.core.neighbours import nearest
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.attribution import Attribution, Cause, Share
from resnet_edge.core.tensors import dequantize
from resnet_edge.data.image_file import open_images
from resnet_edge.data.pixels import preprocessed
from resnet_edge.data.rows import evenly
from resnet_edge.diagnosis.as_written import as_written
from resnet_edge.diagnosis.attribution_task import Attributed, AttributeGap, Fed, FeedImages
from resnet_edge.diagnosis.kernel_check import checked
from resnet_edge.evaluation.outputs import seen
from resnet_edge.evaluation.predict import stored
from resnet_edge.evaluation.rules import counted
from resnet_edge.formats.tflite import describe
from resnet_edge.workers.progress import OnProgress

Outputs = NDArray[np.float32]
ROUNDING = 1e-4
"""Of pixels, 0 to 255: what float32 loses on the way through a preprocessing and back."""


def fed(request: FeedImages, on_progress: OnProgress) -> Fed:
    """Raises DataError."""
    pixels = np.asarray(_some(request.images, request.n), np.float32)
    seen = pixels if request.preprocessing is None else preprocessed(pixels, request.preprocessing)
    if request.input.quantization is not None:
        seen = dequantize(stored(seen, request.input), request.input)
    if request.preprocessing is not None:
        seen = _pixels(seen, request.preprocessing)
    np.save(request.out, seen.astype(np.float32))
    return Fed(request.out, bool(np.abs(seen - pixels).max() > ROUNDING))


def attribute(request: AttributeGap, on_progress: OnProgress) -> Attributed:
    """Raises ArtifactError, DataError."""
    rows = _rows(request.images, request.n)
    images = request.fed or request.images
    pixels = _some(images, request.n)
    reference = _outputs(request.reference, rows)
    ends: list[tuple[Cause, Outputs]] = []
    start = reference
    if request.unpruned is not None:
        start = _outputs(request.unpruned, rows)
        ends.append(("pruning", reference))
    if request.on_fed is not None:
        ends.append(("preprocessing", np.load(request.on_fed)))
    elif request.fed is None:
        ends.append(("preprocessing", reference))
    exact = _float_outputs(request.portable, images, request.n, request.preprocessing)
    if request.rounds:
        ends.append(("conversion", exact))
    written = _ran(Path(request.path), pixels, request.preprocessing, request.input, request.output)
    again = _ran(Path(request.path), pixels[[0, 0]], request.preprocessing, request.input, request.output)
    if not np.array_equal(again[0], again[1], equal_nan=True):
        raise ArtifactError("it draws numbers by chance, so that one image gets other outputs each time")
    ran = _outputs(request.outputs, rows)
    ends += [("quantization" if request.rounds else "conversion", written), ("kernels", ran)]
    labels = None if request.labels is None else np.load(request.labels, allow_pickle=False)[rows]
    befores = [start, *(outputs for _, outputs in ends)]
    steps = zip(ends, befores, strict=False)
    head = request.head
    said = partial(_said, head=head, gallery=start)
    shares = [_share(cause, before, after, said, labels, head) for (cause, after), before in steps]
    whole = _share("all", start, ends[-1][1], said, labels, head)
    same = (
        seen(head, exact).output == seen(head, written).output
    )  # else a softmax or sigmoid is between them, and no rounding
    kernels = checked(exact if same else written, written, ran, request.scheme, request.device)
    attribution = Attribution(
        artifact=request.file,
        backend=request.backend,
        device=request.device,
        n=len(rows),
        shares=tuple(shares),
        whole=whole,
        kernels=kernels,
        remarks=_remarks(request),
    )
    return Attributed(attribution)


def _remarks(request: AttributeGap) -> tuple[str, ...]:
    if request.fed is not None and request.on_fed is None:
        return ("what the artifact's input rounds away counts as conversion",)
    return ()


def _rows(images: str, n: int) -> NDArray[np.int64]:
    return evenly(len(open_images(Path(images))), n)


def _some(images: str, n: int) -> NDArray[Any]:
    return np.asarray(open_images(Path(images))[_rows(images, n)])


def _pixels(values: NDArray[np.float32], how: Preprocessing) -> NDArray[np.float32]:
    """Back from what a network takes to pixels."""
    scale, offset = np.asarray(how.scale, np.float32), np.asarray(how.offset, np.float32)
    pixels: NDArray[np.float32] = (values - offset) / scale
    return pixels[..., ::-1] if how.channels == "BGR" else pixels


def _outputs(path: str, rows: NDArray[np.int64]) -> Outputs:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)[rows], np.float32)


@lru_cache(maxsize=1)
def _float_outputs(portable: str, images: str, n: int, how: Preprocessing | None) -> Outputs:
    inputs, outputs = describe(Path(portable))
    return _ran(Path(portable), _some(images, n), how, inputs[0], outputs[0])


def _ran(
    path: Path, pixels: NDArray[Any], how: Preprocessing | None, entry: TensorSpec, end: TensorSpec
) -> Outputs:
    """Operation by operation."""
    run, images = as_written(path, entry), pixels if how is None else preprocessed(pixels, how)
    return np.concatenate([dequantize(run(stored(image[None], entry)), end) for image in images])


def _said(outputs: Outputs, head: Head, gallery: Outputs) -> NDArray[np.int64]:
    """What outputs stand for; embeddings, among the others that the reference gives: what moves a whole space
    shows there alone."""
    if head.kind == "embedding":
        return nearest(outputs, gallery).rows
    return answers(seen(head, outputs), outputs)


def _share(
    cause: Cause,
    before: Outputs,
    after: Outputs,
    said: Callable[[Outputs], NDArray[np.int64]],
    labels: NDArray[np.int64] | None,
    head: Head,
) -> Share:
    table = counted(said(before), said(after), labels, head)
    drop = table.drop()
    sqnr_db = _sqnr_db(before, after, head)
    return Share(
        cause=cause,
        drop_pp=None if drop is None else drop.value,
        drop_ci95_pp=None if drop is None else (drop.low, drop.high),
        changed=table.changed / table.n,
        changed_ci95=proportion.wilson(table.changed, table.n),
        sqnr_db=sqnr_db,
    )


def _sqnr_db(before: Outputs, after: Outputs, head: Head) -> float | None:
    if "probabilities" in (seen(head, before).output, seen(head, after).output):
        return None
    signal = centred_scores(head, before)
    noise = centred_scores(head, after) - signal
    return statistics.sqnr_db(float((signal**2).sum()), float((noise**2).sum()))
