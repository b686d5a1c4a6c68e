"""Nearest neighbours of embeddings, and the angle between two of one image. numpy only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating]

BYTES = 2**26
"""Of the cosines that are held at once: as many rows against all others as they take."""
WIDE = 1024
"""Rows that are made longer or shorter together."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Of every row (N,), which other row is the nearest, the first of equals; its cosine; and how much
    further the next one is. A row without others has itself."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    gaps: NDArray[np.float32]


def nearest(embeddings: Rows, among: Rows | None = None) -> Nearest:
    """Leave-one-out, by cosine: each of the rows (N, dimensions) among all others; or among those of `among`
    (N, dimensions), of the same images, that are of another image."""
    units = _units(embeddings)
    others = units if among is None else _units(among)
    n = len(units)
    rows, best, gaps = np.arange(n), np.ones(n, np.float32), np.zeros(n, np.float32)
    for block in _blocks(n) if n > 1 else ():
        cosines, each = units[block] @ others.T, np.arange(len(block))
        cosines[each, block] = -np.inf
        rows[block] = first = cosines.argmax(axis=1)
        best[block] = cosines[each, first]
        if n > 2:
            cosines[each, first] = -np.inf
            gaps[block] = best[block] - cosines.max(axis=1)
    return Nearest(rows=rows, cosines=best, gaps=gaps)


def strangers(reference: Rows, candidate: Rows) -> NDArray[np.bool_]:
    """Which rows (N,) of `candidate` are no nearer to their own row of `reference` than most others are: not
    the nearest decides, which may be as near as one likes, but the median."""
    theirs, ours = _units(reference), _units(candidate)
    filled = np.zeros(len(ours), bool)
    for block in _blocks(len(ours)):
        cosines = ours[block] @ theirs.T
        own = cosines[np.arange(len(block)), block]
        nearer = np.count_nonzero(cosines > own[:, None], axis=1)
        filled[block] = 2 * nearer > len(ours) - 1
    return filled


def cosines(reference: Rows, candidate: Rows) -> NDArray[np.float64]:
    """The cosine (N,) of the angle between two embeddings of each image; of two that are zero, 1."""
    filled = np.empty(len(reference), np.float64)
    for start in range(0, len(reference), WIDE):
        rows = slice(start, start + WIDE)
        theirs, ours = unit(reference[rows]), unit(candidate[rows])
        neither = ~(theirs.any(axis=1) | ours.any(axis=1))
        filled[rows] = np.where(neither, 1.0, np.clip((theirs * ours).sum(axis=1), -1.0, 1.0))
    return filled


def block_rows(n: int) -> int:
    """How many of so many rows are held against all others together."""
    return max(1, BYTES // (4 * n))


def _blocks(n: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, n, block_rows(max(1, n))):
        yield np.arange(start, min(start + block_rows(n), n))


def _units(embeddings: Rows) -> NDArray[np.float32]:
    """`unit` in float32, without a second copy of all rows that is twice as wide."""
    filled = np.empty(embeddings.shape, np.float32)
    for start in range(0, len(embeddings), WIDE):
        filled[start : start + WIDE] = unit(embeddings[start : start + WIDE])
    return filled


def unit(embeddings: Rows) -> NDArray[np.float64]:
    """Rows of length one; what is zero stays so."""
    wide = embeddings.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    normed: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return normed
