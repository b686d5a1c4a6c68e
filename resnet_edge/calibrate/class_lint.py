"""Which classes calibration images are of: those of their labels, or else those that the model sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.results.calibration_lint import LintFinding, Severity

MISSING = 0.1
"""The share of classes from which on they are missed."""
ENOUGH = 5
"""Images per class below which shares of classes are luck."""
UNBALANCED = 0.5
"""The share of images that would have to be of other classes. Of 5 random images per class about 0.18 are.
100 images of one class alone cost the bundled model 4 dB in the median of its classes, 8 dB at worst
(python -m benchmarks.calibration_lint)."""


def classes(
    labels: NDArray[Any] | None, against: NDArray[Any] | None, count: int, words: str
) -> Iterator[LintFinding]:
    """Classes without images, and classes with too many. `labels` and `against` are the classes of the
    calibration images and of those of the proof, where they are known: (N,), or of several labels per image
    (N, labels); `words` tell by what."""
    if labels is None:
        sentence = (
            "which classes the calibration images show is unknown: give them labels, as one folder per class"
        )
        yield LintFinding("classes", "note", sentence)
        return
    yield from _missing(labels, count, words)
    if labels.ndim == 2:  # labels are as rare as they are: no share of them is right
        return
    yield from _unbalanced(labels, against, count, words)


def _missing(labels: NDArray[Any], count: int, words: str) -> Iterator[LintFinding]:
    seen = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=count)
    missing = np.flatnonzero(seen == 0)
    if not len(missing):
        return
    few = f", in {len(labels):,} images" if len(labels) < count else ""
    numbers = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
    what, one = ("labels", "label") if labels.ndim == 2 else ("classes", "class")
    sentence = (
        f"{len(missing):,} of {count:,} {what} have no calibration image by {words}{few} ({one} {numbers}): "
        "add some images of each"
    )
    severity: Severity = "warning" if len(missing) >= MISSING * count else "note"
    yield LintFinding("classes", severity, sentence, {"missing_classes": len(missing), "classes": count})


def _unbalanced(
    labels: NDArray[Any], against: NDArray[Any] | None, count: int, words: str
) -> Iterator[LintFinding]:
    if len(labels) < ENOUGH * count:
        return
    ours = np.bincount(labels, minlength=count) / len(labels)
    wanted = np.full(count, 1 / count)
    if against is not None and len(against):
        wanted = np.bincount(against, minlength=count) / len(against)
    apart = float(np.abs(ours - wanted).sum() / 2)
    if apart > UNBALANCED:
        most = int(ours.argmax())
        sentence = (
            f"{ours[most]:.0%} of the calibration images are of class {most} by {words}, and {apart:.0%} "
            "would have to be of other classes to be as the proof's are: take as many of each"
        )
        figures = {"unbalanced": apart, "largest_class": float(ours[most])}
        yield LintFinding("classes", "warning", sentence, figures)
