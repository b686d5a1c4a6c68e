"""Runs in a worker. The verdict on an artifact, from its outputs and the reference's.

What must hold for `pass`:

- the sentinel finds nothing: no NaN or Inf, outputs that vary, more than one class predicted;
- with labels, the reference is right more often than chance (unless the user accepts it), and
  the upper end of the paired 95 % interval of the accuracy drop is within `max_drop_pp`; without,
  the same is asked of the share of images whose top-1 changed, which no drop can exceed;
- of float32 files, SQNR on logits is at least `min_sqnr_db`. What float16 and integers cost depends on the
  network: there the answers alone decide, and SQNR is a figure.

A float file whose outputs differ from the reference's by the rounding of its type alone needs neither labels
nor an interval (`rules.on_rounding`): its answers are the model's, on these images and on others.

`fail` needs evidence too: an interval wholly above `max_drop_pp`, a float32 file with too low an SQNR, or the
sentinel. Everything else is `inconclusive`. No special case softens this: with
`max_drop_pp` 0 only a proven gain passes, since images without a single change still leave
room for a drop of 3.84 / n.

Where the verdict is asked for several times (core/sequential.py), every interval is as much wider.

What outputs say, and what is right, is told by the head (core/head.py), and what images then prove by
figures.py, of several labels by labels.py, and of an embedding by embeddings.py. Top-1 is the first of equal
maxima on both sides. Quantized outputs do have equal maxima; a
tie that the reference does not have counts as a change when a later class should have won.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion, statistics
from resnet_edge.core.answers import answers, changed
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head, HeadKind
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.core.sequential import quantile
from resnet_edge.evaluation.compare_task import Agreement, Compared, CompareOutputs, CountAgreement
from resnet_edge.evaluation.embeddings import by_rounding, of_embeddings
from resnet_edge.evaluation.figures import Figures, of_classes
from resnet_edge.evaluation.float_rounding import rounding_db
from resnet_edge.evaluation.labels import of_labels
from resnet_edge.evaluation.rules import on_rounding, on_sqnr
from resnet_edge.evaluation.sanity import Finding, examine, one_class
from resnet_edge.evaluation.sums import Sums, measure
from resnet_edge.workers.progress import OnProgress, Progress


def compare(request: CompareOutputs, on_progress: OnProgress) -> Compared:
    """The verdict, with all its figures. Raises DataError where files do not belong together."""
    head = request.head
    reference, candidate = _outputs(request.reference), _outputs(request.candidate)
    if reference.shape != candidate.shape:
        raise DataError(
            f"{request.artifact} gives {_by(candidate)} and the reference {_by(reference)}: "
            "they are not of the same images and classes"
        )
    if reference.shape[1] != head.outputs:
        raise DataError(f"the reference gives {_by(reference)}, and its head is of {head.outputs}")
    labels = _labels(request.labels, len(reference), head)
    step = f"compare {request.artifact} on {request.backend}"
    on_progress(Progress(step=step, done=0, total=1))
    names = request.class_names
    if finding := examine(reference, candidate, head, names) or one_class(reference, labels, head, names):
        return Compared(_stopped(request, len(reference), finding), by_rounding=False)
    figures = _OF[head.kind](reference, candidate, labels, request)
    sums = measure(reference, candidate, head)
    on_progress(Progress(step=step, done=1, total=1))
    return _judged(request, figures, sums)


_OF: dict[HeadKind, Callable[..., Figures]] = {
    "classes": of_classes,
    "binary": of_classes,
    "multilabel": of_labels,
    "embedding": of_embeddings,
}


def _outputs(path: str) -> NDArray[np.float32]:
    values = _load(path)
    if values.ndim != 2 or values.dtype.kind != "f" or not values.shape[1]:
        raise DataError(f"{path} holds {values.dtype} {values.shape}; outputs are floats (N, outputs)")
    return values


def _load(path: str) -> NDArray[Any]:
    try:
        values: NDArray[Any] = np.load(Path(path), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return values


def _labels(path: str | None, n: int, head: Head) -> NDArray[np.int64] | None:
    if path is None:
        return None
    labels = _load(path)
    shape = (n, head.classes) if head.kind == "multilabel" else (n,)
    if labels.shape != shape or labels.dtype.kind not in "iu":
        raise DataError(
            f"the labels are {labels.dtype} {labels.shape}; {n} images need "
            f"{f'integers {shape}' if head.kind == 'multilabel' else 'as many integers'}"
        )
    most = {"multilabel": 2, "embedding": np.inf}.get(head.kind, head.classes)
    wrong = labels[(labels < 0) | (labels >= most)]
    if len(wrong):
        raise DataError(f"label {wrong[0]} is out of range: the model has the classes 0 to {most - 1:g}")
    checked: NDArray[np.int64] = labels.astype(np.int64)
    return checked


def _by(values: NDArray[Any]) -> str:
    return f"{values.shape[1]} outputs for {values.shape[0]} images"


def _stopped(request: CompareOutputs, n: int, finding: Finding) -> Parity:
    """The verdict of the sentinel: no figure is given that could be read as a good one."""
    needed = None
    if n == 0:
        needed = proportion.samples_needed(0, 0, 0, request.max_drop_pp / 100, quantile(request.looks))
    return Parity(
        artifact=request.artifact,
        backend=request.backend,
        device=request.device,
        n=n,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=None,
        max_abs=None,
        sqnr_db=None,
        verdict=finding.verdict,
        reasons=(finding.reason,),
        samples_needed=needed,
    )


def _judged(request: CompareOutputs, figures: Figures, sums: Sums) -> Compared:
    sqnr = statistics.sqnr_db(sums.signal, sums.noise)
    numbers = _by_numbers(request, figures, sums, sqnr)
    on_signal = on_sqnr(sqnr, request.min_sqnr_db, request.scheme)
    on_images = _on_images(figures, request, numbers)
    verdict: Verdict = on_images.verdict if on_signal.verdict == "pass" else "fail"
    drop = figures.drop
    parity = Parity(
        artifact=request.artifact,
        backend=request.backend,
        device=request.device,
        n=figures.n,
        top1=figures.top1,
        reference_top1=figures.reference_top1,
        drop_pp=drop.value if drop else None,
        drop_ci95_pp=(drop.low, drop.high) if drop else None,
        agreement=figures.agreement,
        max_abs=sums.max_abs,
        sqnr_db=sqnr,
        verdict=verdict,
        # What decided comes first: it is what people read.
        reasons=(
            *(f.reason for f in sorted((on_images, on_signal), key=lambda f: f.verdict != verdict)),
            *figures.remarks,
        ),
        lost=figures.lost,
        gained=figures.gained,
        samples_needed=on_images.samples_needed if verdict == "inconclusive" else None,
        agreement_ci95=figures.agreement_ci95,
        worst_class=figures.worst,
        deciding_label=figures.deciding_label,
        labels=figures.labels,
        cosine=figures.cosine,
    )
    return Compared(parity, numbers is not None)


def _by_numbers(request: CompareOutputs, figures: Figures, sums: Sums, sqnr: float) -> Finding | None:
    """What the numbers alone prove, of a file of floats."""
    least = rounding_db(request.path, request.format, request.scheme) if request.path else None
    if least is None:
        return None
    if request.head.kind == "embedding":
        return by_rounding(sqnr, sums, figures, least, request.scheme)
    return on_rounding(sqnr, sums, figures.n, least, request.scheme)


def _on_images(figures: Figures, request: CompareOutputs, numbers: Finding | None) -> Finding:
    """What the images prove; what they leave open, `numbers` decide where there are any."""
    finding = figures.finding
    if numbers is not None and finding.verdict == "inconclusive":
        finding = numbers
    on_chance = figures.on_chance
    if on_chance is None or finding.verdict != "pass" or request.accept_reference:
        return finding
    return finding if on_chance.verdict == "pass" else on_chance


def agree(request: CountAgreement, on_progress: OnProgress) -> Agreement:
    """How far two artifacts agree; no verdict. Raises DataError; NaN equals nothing."""
    a, b = _outputs(request.a), _outputs(request.b)
    if a.shape != b.shape:
        raise DataError(f"one artifact gives {_by(a)} and the other {_by(b)}: nothing to compare")
    if len(a) == 0 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError("agreement needs at least one image, and outputs without NaN or Inf")
    apart = np.abs(a.astype(np.float64) - b)
    on_progress(Progress(step="agreement", done=1, total=1))
    return Agreement(
        n=len(a),
        same_top1=int(np.count_nonzero(~changed(answers(request.head, a), answers(request.head, b)))),
        values=a.size,
        identical=int(np.count_nonzero(apart == 0)),
        max_abs=float(apart.max()),
    )
