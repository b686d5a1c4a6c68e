"""The verdict on one artifact on one backend (contract: report.json, `parity`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive"]
Among = Literal["all", "with", "without"]


@dataclass(frozen=True, kw_only=True)
class ClassDrop:
    """What one class loses: of its `n` images the reference alone is right on `lost`, the artifact alone on
    `gained`. `p_adjusted` is how likely as much is by chance, with all classes looked at."""

    label: int
    n: int
    lost: int
    gained: int
    drop_pp: float
    p_adjusted: float


@dataclass(frozen=True, kw_only=True)
class LabelDrop:
    """How well one label of several holds. `n` images have it; `accuracy` and `reference_accuracy` are the
    shares of all images on which the artifact, and the reference, are right about it, and `agreement` of
    those on which both say the same. It is judged `among` all images, or those with or without it where these
    are few (evaluation/labels.py): of these the reference alone is right on `lost`, the artifact alone on
    `gained`, and `drop_ci95_pp` is the paired interval of the drop. The intervals of all labels together hold
    with 95 %. Without labels, all that takes them is None."""

    label: int
    verdict: Verdict
    agreement: float
    agreement_ci95: tuple[float, float]
    n: int | None = None
    accuracy: float | None = None
    reference_accuracy: float | None = None
    among: Among = "all"
    drop_pp: float | None = None
    drop_ci95_pp: tuple[float, float] | None = None
    lost: int | None = None
    gained: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Of the angle between the embedding of the reference and that of the artifact, image by image: the mean
    of all images with its 95 % interval, and the least. `strangers` counts the images whose embedding is
    no nearer to what the reference gives for them than most other images are."""

    mean: float
    ci95: tuple[float, float]
    least: float
    strangers: int


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How an artifact compares with the reference on the same images.

    `top1`, `reference_top1`, `agreement` are fractions; the first two are None on unlabelled
    data, and so are `drop_pp` (percentage points lost; negative: gained) and its paired 95 %
    interval. `max_abs` is the largest difference of an output; `sqnr_db` is measured on
    logits. `agreement_ci95` is the interval of the agreement; `worst_class` the class that loses most beyond
    chance, None where none loses, and on unlabelled data. `samples_needed` tells how many images would
    decide an inconclusive verdict. Each reason is a sentence for people.

    Of several labels, `top1` and `reference_top1` are the share of all answers (images times labels) that are
    right, and the drop and the agreement with their intervals, `lost` and `gained` are those of the label
    that decides, `deciding_label`; `labels` has all of them. Of an embedding, `top1` and `reference_top1` are
    the share of images whose nearest neighbour among the others has their label, and `agreement` is the share
    that have the same neighbour; `cosine` says how far embeddings turned.

    `machines` are those of a cluster that took part, where their processors differ: last bits then may,
    too."""

    artifact: str
    backend: str
    device: str
    n: int
    top1: float | None
    reference_top1: float | None
    drop_pp: float | None
    drop_ci95_pp: tuple[float, float] | None
    agreement: float | None
    max_abs: float | None
    sqnr_db: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    lost: int | None = None
    gained: int | None = None
    samples_needed: int | None = None
    agreement_ci95: tuple[float, float] | None = None
    worst_class: ClassDrop | None = None
    deciding_label: int | None = None
    labels: tuple[LabelDrop, ...] = ()
    cosine: Cosine | None = None
    machines: tuple[str, ...] = ()
