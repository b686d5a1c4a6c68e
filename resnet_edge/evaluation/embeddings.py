"""What images show of an artifact that gives an embedding: numbers that only say what is near to what.

The answer to an image is its nearest neighbour among all other images (leave-one-out, by cosine). What the
reference answers is held against what the artifact does in two ways, of which the worse decides: with
the other images as the artifact gives them, and as the reference does, for a gallery that the model filled
is asked with what the file gives. Turned as a whole (numbers that changed places, an axis that changed its
sign), embeddings keep all neighbours among themselves and none of these.

- With labels (N,), an image is right where its nearest neighbour has its label, and the drop of that is
  judged by its paired interval, as the top-1 of a classifier is.
- Without, the file passes where the interval of the share of images with another neighbour is within the
  limit. It does not fail by that: where two others are as near, either is as good.
- Either way it fails where so many images are strangers to themselves: no nearer to what the reference gives
  for them than most other images are; or where its numbers changed places (moved.py). It does not pass where
  the whole space is turned.

The cosine between the two embeddings of each image stands beside it, the mean with its interval (by the
central limit theorem), and the least. It decides nothing: how much of an angle matters depends on how far
images are apart, which neighbours tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion
from resnet_edge.core.answers import answers, right
from resnet_edge.core.neighbours import cosines, nearest, strangers
from resnet_edge.core.proportion import DropPoints
from resnet_edge.core.results.parity import Cosine
from resnet_edge.core.sequential import quantile, quantile_to_fail
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.figures import WORST, Figures, Labels
from resnet_edge.evaluation.moved import moved
from resnet_edge.evaluation.rules import (
    Labelled,
    advice,
    counted_right,
    on_drop,
    on_reference,
    share,
    text,
)
from resnet_edge.evaluation.sanity import Finding, Values
from resnet_edge.evaluation.sums import Sums

OWN, GALLERY = "", " among the reference's embeddings"
"""Where neighbours are searched, as sentences have it."""


@dataclass(frozen=True, kw_only=True)
class _Searched:
    """What the neighbours (N,) of the artifact's embeddings, searched `where`, come to."""

    where: str
    finding: Finding
    changed: int
    labelled: Labelled | None
    drop: DropPoints | None

    @property
    def badness(self) -> tuple[int, float, int]:
        return WORST[self.finding.verdict], self.drop.high if self.drop else 0.0, self.changed


def of_embeddings(
    reference: Values, candidate: Values, labels: Labels | None, request: CompareOutputs
) -> Figures:
    """Of outputs (N, dimensions); `labels` (N,), or None."""
    head, z = request.head, quantile(request.looks)
    theirs, n = answers(head, reference), len(candidate)
    searched = [
        _searched(where, theirs, ours, labels, request)
        for where, ours in ((OWN, answers(head, candidate)), (GALLERY, nearest(candidate, reference).rows))
    ]
    worse = max(searched, key=lambda each: each.badness)  # the first of equals: among its own
    cosine = _cosine(reference, candidate, z)
    lost, labelled = _on_strangers(n, cosine.strangers, request), worse.labelled
    return Figures(
        finding=_worst(moved(reference, candidate), lost, worse.finding),
        n=n,
        agreement=(n - worse.changed) / n,
        agreement_ci95=proportion.wilson(n - worse.changed, n, z),
        on_chance=None if labelled is None else _on_chance(labelled, labels, z),
        top1=None if labelled is None else labelled.right / n,
        reference_top1=None if labelled is None else labelled.reference_right / n,
        drop=worse.drop,
        lost=None if labelled is None else labelled.lost,
        gained=None if labelled is None else labelled.gained,
        cosine=cosine,
        remarks=(
            f"the cosine of both embeddings of an image is {cosine.mean:.6f} in the mean "
            f"({cosine.ci95[0]:.6f} to {cosine.ci95[1]:.6f}), and {cosine.least:.6f} at the least",
        ),
    )


def _worst(*findings: Finding | None) -> Finding:
    """The worst; of equals the first, which says most."""
    known = [each for each in findings if each is not None]
    return max(known, key=lambda each: WORST[each.verdict])


def _searched(
    where: str,
    theirs: NDArray[np.int64],
    ours: NDArray[np.int64],
    labels: Labels | None,
    request: CompareOutputs,
) -> _Searched:
    n, changed = len(ours), int(np.count_nonzero(theirs != ours))
    if labels is None:
        finding = _on_neighbours(n, changed, where, request)
        return _Searched(where=where, finding=finding, changed=changed, labelled=None, drop=None)
    labelled = counted_right(*(right(request.head, each, labels) for each in (theirs, ours)))
    return _Searched(
        where=where,
        finding=_on_labels(n, labelled, where, request),
        changed=changed,
        labelled=labelled,
        drop=proportion.drop_points(n, labelled.lost, labelled.gained, quantile(request.looks)),
    )


def by_rounding(sqnr_db: float, sums: Sums, figures: Figures, least_db: float, scheme: str) -> Finding | None:
    """As rules.on_rounding, of an embedding: a neighbour may be another where two are as near but for the
    rounding, and both are then the reference's."""
    if sqnr_db < least_db or sums.apart > sums.largest * share(least_db):
        return None
    changed = round(figures.n * (1 - figures.agreement))
    other = f"; the nearest neighbour is another on {changed:,}" if changed else ""
    return Finding(
        "pass",
        f"the embeddings are the reference's within {scheme} rounding (SQNR {sqnr_db:.1f} dB, and it leaves "
        f"{least_db:.0f} dB) on all {figures.n:,} images{other}: no labels and no interval are needed",
    )


def _cosine(reference: Values, candidate: Values, z: float) -> Cosine:
    values = cosines(reference, candidate)
    mean, spread = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else math.inf
    half = z * spread / math.sqrt(len(values))
    return Cosine(
        mean=mean,
        ci95=(max(-1.0, mean - half), min(1.0, mean + half)),
        least=float(values.min()),
        strangers=int(np.count_nonzero(strangers(reference, candidate))),
    )


def _on_labels(n: int, labelled: Labelled, where: str, request: CompareOutputs) -> Finding:
    z, to_fail = quantile(request.looks), quantile_to_fail(request.looks, early=request.early)
    what = f"the drop of images whose nearest neighbour{where} has their label,"
    return on_drop(n, labelled.lost, labelled.gained, request.max_drop_pp, z, to_fail, what)


def _on_neighbours(n: int, changed: int, where: str, request: CompareOutputs) -> Finding:
    limit_pp, z = request.max_drop_pp, quantile(request.looks)
    low, high = (100 * end for end in proportion.wilson(changed, n, z))
    seen = (
        f"without labels: the nearest neighbour{where} changed on {changed:,} of {n:,} images "
        f"({text(low)} to {text(high)} %)"
    )
    if high <= limit_pp:
        return Finding("pass", f"{seen}, within the {limit_pp:g} % allowed")
    if low > limit_pp:
        return Finding(
            "inconclusive",
            f"{seen}, and {limit_pp:g} % are allowed: labels would tell whether it matters",
        )
    needed = proportion.samples_needed_for_share(n, changed, limit_pp / 100, z)
    return Finding("inconclusive", f"{seen}, and {limit_pp:g} % are allowed: {advice(needed)}", needed)


def _on_strangers(n: int, count: int, request: CompareOutputs) -> Finding | None:
    z = quantile_to_fail(request.looks, early=request.early)
    low, high = (100 * end for end in proportion.wilson(count, n, z))
    if low <= request.max_drop_pp:
        return None
    return Finding(
        "fail",
        f"the embeddings of {count:,} of {n:,} images ({text(low)} to {text(high)} %) are no nearer to the "
        f"reference's of the same image than most others are, more than the {request.max_drop_pp:g} % "
        "allowed",
    )


def _on_chance(labelled: Labelled, labels: Labels | None, z: float) -> Finding:
    """A neighbour at random has the label of an image as often as the squares of their shares add up to."""
    assert labels is not None
    _, counts = np.unique(labels, return_counts=True)
    n = len(labels)
    chance = float((counts * (counts - 1.0)).sum() / max(1.0, n * (n - 1.0)))
    return on_reference(n, labelled.reference_right, chance, z)
