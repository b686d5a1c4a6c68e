"""What is looked at before any metric: outputs from which nothing can be concluded.

An export that broke gives NaN, one constant, or one class, and many metrics call such
outputs equal (LiteRT#7693, tensorflow#40154: zeros or NaN from a delegate; a wide softmax
quantized to one value).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers
from resnet_edge.core.class_name import class_name
from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Verdict

BLOCK = 1024

HANDFUL = 5
"""Fewer distinct output values than this say nothing, and as many images of another class
than the candidate's only one are no accident."""

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Finding:
    """What was found, in one sentence, and what follows from it."""

    verdict: Verdict
    reason: str
    samples_needed: int | None = None


def examine(reference: Values, candidate: Values, head: Head, names: Sequence[str] = ()) -> Finding | None:
    """The first reason, if any, not to look at metrics. Both (N, outputs of the head) of the same images;
    `names` are those of the classes, for what it says."""
    if len(reference) == 0:
        return Finding("inconclusive", "no image was compared, and so nothing is proved")
    return (
        _not_finite(reference, candidate)
        or _reference(reference, head)
        or _candidate(reference, candidate, head, names)
    )


def one_class(
    reference: Values, labels: NDArray[np.int64] | None, head: Head, names: Sequence[str] = ()
) -> Finding | None:
    """Whether the images, of `labels` (N,) where these are known, are of one class. They cannot show what is
    wrong with the others: a file that always answers that class would be right on all of them. Of several
    labels, each is judged by itself (evaluation/labels.py)."""
    if head.kind == "multilabel":
        return None
    if labels is not None:
        if (labels == labels[0]).all():
            return Finding(
                "inconclusive",
                f"all images are labelled {class_name(labels[0], names)}, and nothing is proved of the other "
                "classes: give --data with images of every class",
            )
        return None
    if head.kind == "embedding":
        return None
    seen, counts = np.unique(answers(head, reference), return_counts=True)
    others = int(counts.sum() - counts.max())
    if others < HANDFUL <= len(reference):
        return Finding(
            "inconclusive",
            f"the reference sees class {class_name(seen[counts.argmax()], names)} on all images but "
            f"{others}, and nothing is proved of the other classes: give --data with images of every class",
        )
    return None


def _not_finite(reference: Values, candidate: Values) -> Finding | None:
    for whose, values in (("the reference", reference), ("the artifact", candidate)):
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            count = f"{np.count_nonzero(bad):,} of {len(values):,} images"
            return Finding("fail", f"{whose} gives NaN or Inf on {count}, first on image {bad.argmax()}")
    return None


def _reference(reference: Values, head: Head) -> Finding | None:
    """A reference that does not tell images apart can prove nothing, good or bad."""
    end = "nothing can be proved; give more and different images"
    if (reference == reference[0]).all():
        return Finding("inconclusive", f"the reference gives one and the same output for every image: {end}")
    if head.kind != "embedding" and _constant(answers(head, reference)).all():
        what = "the same labels for every image" if head.kind == "multilabel" else "one class only"
        return Finding("inconclusive", f"the reference predicts {what}: {end}")
    if _distinct(reference) < HANDFUL:
        return Finding(
            "inconclusive", f"the reference's outputs have {_distinct(reference)} distinct values: {end}"
        )
    return None


def _candidate(reference: Values, candidate: Values, head: Head, names: Sequence[str]) -> Finding | None:
    if (candidate == candidate[0]).all():
        return Finding(
            "fail", "the artifact gives one and the same output for every image, the reference does not"
        )
    if head.outputs > 1 and (candidate == candidate[:, :1]).all():
        each = {"multilabel": "label", "embedding": "number"}.get(head.kind, "class")
        return Finding("fail", f"the artifact gives every {each} the same score on every image")
    if head.kind != "embedding" and (finding := _only(reference, candidate, head, names)):
        return finding
    if (distinct := _distinct(candidate)) < HANDFUL:
        return Finding(
            "inconclusive",
            f"the outputs have only {distinct} distinct values: export logits, or give more images",
        )
    return None


def _only(reference: Values, candidate: Values, head: Head, names: Sequence[str]) -> Finding | None:
    """Whether the artifact has one answer for all images, to any label, and the reference has not."""
    theirs, ours = answers(head, reference), answers(head, candidate)
    elsewhere = np.atleast_1d((theirs != ours[:1]).sum(axis=0))
    stuck = np.flatnonzero(_constant(ours) & (elsewhere >= HANDFUL))
    if not len(stuck):
        return None
    count, first = int(elsewhere[stuck[0]]), stuck[0]
    if head.kind != "multilabel":
        return Finding(
            "fail",
            f"the artifact predicts class {class_name(ours[0], names)} only, the reference another one on "
            f"{count:,} images",
        )
    says = "every image" if ours[0, first] else "no image"
    more = f"; {len(stuck) - 1} more labels are as stuck" if len(stuck) > 1 else ""
    return Finding(
        "fail",
        f"the artifact gives label {class_name(int(first), names)} to {says}, the reference not so on "
        f"{count:,} images{more}",
    )


def _constant(answer: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether all answers are the same; of several labels, each (labels,)."""
    return np.atleast_1d((answer == answer[:1]).all(axis=0))


def _distinct(values: Values) -> int:
    """How many distinct values there are, counted no further than it matters."""
    seen = np.empty(0, np.float32)
    for start in range(0, len(values), BLOCK):
        seen = np.unique(np.concatenate([seen, values[start : start + BLOCK].ravel()]))
        if len(seen) >= HANDFUL:
            break
    return len(seen)
