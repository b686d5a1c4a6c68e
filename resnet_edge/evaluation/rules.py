"""How figures become a verdict, each with the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion
from resnet_edge.core.answers import answers, changed, right
from resnet_edge.core.head import Head
from resnet_edge.core.proportion import Z95, DropPoints
from resnet_edge.evaluation.float_rounding import FLOAT32_DB
from resnet_edge.evaluation.sanity import Finding, Values
from resnet_edge.evaluation.sums import Sums


@dataclass(frozen=True)
class Labelled:
    """Images on which the candidate is right, the reference is, only the reference is (lost),
    and only the candidate is (gained)."""

    right: int
    reference_right: int
    lost: int
    gained: int


@dataclass(frozen=True)
class Table:
    """Of `n` images the top-1 changed on `changed`; `labelled` where labels tell right from wrong."""

    n: int
    changed: int
    labelled: Labelled | None

    def drop(self, z: float = Z95) -> DropPoints | None:
        """What the candidate loses; None without labels."""
        if self.labelled is None:
            return None
        return proportion.drop_points(self.n, self.labelled.lost, self.labelled.gained, z)


def tabulate(reference: Values, candidate: Values, labels: NDArray[np.int64] | None, head: Head) -> Table:
    """Count; outputs are (N, outputs of the head), labels (N,), of a multi-label head (N, labels)."""
    return counted(answers(head, reference), answers(head, candidate), labels, head)


def counted(
    theirs: NDArray[np.int64], ours: NDArray[np.int64], labels: NDArray[np.int64] | None, head: Head
) -> Table:
    """The same of answers (core.answers), those of the reference first. Of several labels, an image is right
    where all of its labels are."""
    labelled = None
    if labels is not None:
        labelled = counted_right(right(head, theirs, labels), right(head, ours, labels))
    return Table(len(ours), int(np.count_nonzero(changed(ours, theirs))), labelled)


def counted_right(theirs: NDArray[np.bool_], ours: NDArray[np.bool_]) -> Labelled:
    """Of images (N,) on which the reference, and the candidate, are right."""
    return Labelled(
        right=int(np.count_nonzero(ours)),
        reference_right=int(np.count_nonzero(theirs)),
        lost=int(np.count_nonzero(theirs & ~ours)),
        gained=int(np.count_nonzero(ours & ~theirs)),
    )


def on_drop(
    n: int,
    lost: int,
    gained: int,
    limit_pp: float,
    z: float = Z95,
    to_fail: float = Z95,
    what: str = "the top-1 drop",
) -> Finding:
    """Whether the accuracy drop is within `limit_pp`, by its paired interval. `z` is its normal quantile, and
    `to_fail`, which is no smaller, of the one that must be above the limit for a fail. `what` drops, for
    people."""
    drop = proportion.drop_points(n, lost, gained, z)
    seen = f"{what} on {n:,} images is {text(drop.value)} pp ({text(drop.low)} to {text(drop.high)})"
    if drop.high <= limit_pp:
        return Finding("pass", f"{seen}, within the {limit_pp:g} pp allowed")
    if proportion.drop_points(n, lost, gained, to_fail).low > limit_pp:
        return Finding("fail", f"{seen}, more than the {limit_pp:g} pp allowed")
    needed = proportion.samples_needed(n, lost, gained, limit_pp / 100, z)
    return Finding("inconclusive", f"{seen}, and {limit_pp:g} pp are allowed: {advice(needed)}", needed)


def on_agreement(
    n: int,
    changed: int,
    limit_pp: float,
    z: float = Z95,
    to_fail: float = Z95,
    what: str = "the top-1",
) -> Finding:
    """Whether the answer changed on at most `limit_pp` per cent of images, by Wilson's interval; `z`,
    `to_fail` and `what` as for `on_drop`."""
    low, high = (100 * end for end in proportion.wilson(changed, n, z))
    seen = f"without labels: {what} changed on {changed:,} of {n:,} images ({text(low)} to {text(high)} %)"
    if high <= limit_pp:
        return Finding("pass", f"{seen}, within the {limit_pp:g} % allowed, so that no drop can exceed them")
    if 100 * proportion.wilson(changed, n, to_fail)[0] > limit_pp:
        return Finding(
            "fail", f"{seen}, more than the {limit_pp:g} % allowed; labels would show what it costs"
        )
    needed = proportion.samples_needed_for_share(n, changed, limit_pp / 100, z)
    return Finding("inconclusive", f"{seen}, and {limit_pp:g} % are allowed: {advice(needed)}", needed)


def on_rounding(sqnr_db: float, sums: Sums, n: int, least_db: float, scheme: str) -> Finding | None:
    """Whether outputs differ from the reference's by the rounding of their float type alone.

    `least_db` is the SQNR that this rounding leaves (float_rounding.py). Where the SQNR reaches it,
    the largest error is within that share of the largest logit, too, and no answer changed, the file computes
    what the reference does: which images are shown does not matter, and labels have nothing to add. An answer
    can change only where the margin of the reference is within twice the error. Where it did, on a margin
    that float32 itself does not hold, the reference has a tie, whose answer is luck on both sides: it stops
    nothing.
    """
    tie = 2 * sums.largest * share(FLOAT32_DB)
    if sqnr_db < least_db or sums.apart > sums.largest * share(least_db) or sums.swapped > tie:
        return None
    close = f" but {sums.close:,}, which are near a tie of the reference" if sums.close else ""
    return Finding(
        "pass",
        f"the outputs are the reference's within {scheme} rounding (SQNR {sqnr_db:.1f} dB, and it "
        f"leaves {least_db:.0f} dB), less than half of the margin on all {n:,} images{close}: no labels "
        "and no interval are needed",
    )


def share(decibels: float) -> float:
    """Of the largest value, as an amplitude."""
    return float(10 ** (-decibels / 20))


def on_reference(n: int, right: int, chance: float, z: float = Z95) -> Finding:
    """Whether the reference is right more often than by `chance`, a share, by Wilson's interval. One that is
    not has no accuracy to lose: whatever an artifact predicts, it would do as well."""
    seen = f"the reference itself is right on {right:,} of {n:,} images"
    if proportion.wilson(right, n, z)[0] > chance:
        return Finding("pass", seen)
    return Finding(
        "inconclusive",
        f"{seen}, no more than by chance, so that no drop could show: check the labels and --preprocess",
    )


def on_sqnr(sqnr_db: float, floor_db: float | None, scheme: str) -> Finding:
    """Whether the logits carry the signal that the float type of `scheme` leaves, where it has a floor."""
    if floor_db is None:
        return Finding("pass", f"SQNR {sqnr_db:.1f} dB")
    seen = f"SQNR {sqnr_db:.1f} dB, and {scheme} needs {floor_db:g} dB"
    return Finding("pass" if sqnr_db >= floor_db else "fail", seen)


def text(value: float) -> str:
    """Percentage points, for people."""
    return f"{round(value, 2) + 0.0:.2f}"  # + 0.0: there is no -0.00


def advice(needed: int | None) -> str:
    """How many images would decide, for people."""
    if needed is None:
        return "no number of images would decide it at this rate"
    return f"about {needed:,} images would decide it"
