"""Whether the outputs of an artifact are the reference's, moved as a whole: numbers that changed places, or,
of an embedding, a space that was turned. Such a file keeps what is near to what among its own images, and
labels with it, and nothing that the model filled can be asked with it. Labels that mostly come together may
change places, too, and few answers with them.

What is the same for all images is found on every second one, and tried on the others: rounding is not the
same for all, and leaves an error that no such move takes away. Rounded weights of a last layer move a
space too, and shear it as much as they turn it, and the rounding of values comes on top: where nearly all of
the error is a turn alone, it is none of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.evaluation.sanity import Finding, Values

MOST = 0.5
"""Of the error, which another order of the numbers takes away where it is one."""
NEARLY_ALL = 0.9
"""Of the error, which turning takes away where that is what was done."""
NAMED = 3

Wide = NDArray[np.float64]


def moved(reference: Values, candidate: Values) -> Finding | None:
    """Of embeddings (N, dimensions); None where nothing speaks for it, and for fewer than two numbers."""
    return in_another_order(reference, candidate, "numbers of an embedding") or _turned(reference, candidate)


def in_another_order(reference: Values, candidate: Values, what: str) -> Finding | None:
    """Whether outputs (N, outputs), which are called `what`, are those of the reference in another order, or
    one of them is there twice; None where nothing speaks for it."""
    if (halves := _Halves.of(reference, candidate)) is None:
        return None
    squares = np.square(halves.theirs_fit).sum(axis=0)
    order = (squares - 2 * halves.ours_fit.T @ halves.theirs_fit).argmin(axis=1)
    gone = halves.gone(halves.theirs[:, order])
    if gone <= MOST:
        return None
    others = np.flatnonzero(order != np.arange(len(order)))
    first = ", ".join(f"{each} is its {order[each]}" for each in others[:NAMED])
    more = ", …" if len(others) > NAMED else ""
    return Finding(
        "fail",
        f"{len(others):,} of the {len(order):,} {what} are others of the reference's ({first}{more}): "
        f"{_percent(gone)} of what they are off is gone when they are taken so",
    )


def _turned(reference: Values, candidate: Values) -> Finding | None:
    """By the turn that takes the reference nearest to it (P. H. Schoenemann, Psychometrika 31 (1966) 1)."""
    if (halves := _Halves.of(reference, candidate)) is None:
        return None
    left, _, right = np.linalg.svd(halves.theirs_fit.T @ halves.ours_fit)
    gone = halves.gone(halves.theirs @ (left @ right))
    if gone <= NEARLY_ALL:
        return None
    return Finding(
        "inconclusive",
        f"the embeddings are turned as a whole: {_percent(gone)} of what they are off is gone when they are "
        "turned back. They keep what is near to what among themselves, and are not the model's: compare them "
        "with none that the model gave",
    )


@dataclass(frozen=True, kw_only=True)
class _Halves:
    """Every second row to find a move with, and the others to try it on, which are `error` apart."""

    ours_fit: Wide
    theirs_fit: Wide
    ours: Wide
    theirs: Wide
    error: float

    @classmethod
    def of(cls, reference: Values, candidate: Values) -> _Halves | None:
        """None where there is no error, and too few rows or numbers to move."""
        n, count = reference.shape
        if count < 2 or n < 4:
            return None
        theirs, ours = reference.astype(np.float64), candidate.astype(np.float64)
        error = _apart(ours[1::2], theirs[1::2])
        if error == 0:
            return None
        return cls(
            ours_fit=ours[::2], theirs_fit=theirs[::2], ours=ours[1::2], theirs=theirs[1::2], error=error
        )

    def gone(self, theirs: Wide) -> float:
        """Which share of the error is gone when `theirs` are the rows that were to be."""
        return 1 - _apart(self.ours, theirs) / self.error


def _apart(one: Wide, other: Wide) -> float:
    return float(np.square(one - other).sum())


def _percent(gone: float) -> str:
    return f"{100 * gone:.1f} %"
