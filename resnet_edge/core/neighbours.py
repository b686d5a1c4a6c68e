"""Nearest neighbours of embeddings, and the angle between two of one image. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating]

BLOCK = 1024
"""Rows that are held against all others together: 1,024 x 50,000 cosines take 200 MB."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Of every row (N,), which other row is the nearest, the first of equals; its cosine; and how much
    further the next one is. A row without others has itself."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    gaps: NDArray[np.float32]


def nearest(embeddings: Rows) -> Nearest:
    """Leave-one-out: each of the rows (N, dimensions) among all others, by cosine."""
    units = unit(embeddings).astype(np.float32)
    n = len(units)
    rows, best, gaps = np.arange(n), np.ones(n, np.float32), np.zeros(n, np.float32)
    for start in range(0, n if n > 1 else 0, BLOCK):
        block = np.arange(start, min(start + BLOCK, n))
        cosines = units[block] @ units.T
        cosines[np.arange(len(block)), block] = -np.inf
        rows[block] = first = cosines.argmax(axis=1)
        best[block] = cosines[np.arange(len(block)), first]
        if n > 2:
            gaps[block] = best[block] - np.partition(cosines, -2, axis=1)[:, -2]
    return Nearest(rows=rows, cosines=best, gaps=gaps)


def strangers(reference: Rows, candidate: Rows) -> NDArray[np.bool_]:
    """Which rows (N,) of `candidate` are no nearer to their own row of `reference` than most others are: not
    the nearest decides, which may be as near as one likes, but the median."""
    theirs, ours = (unit(values).astype(np.float32) for values in (reference, candidate))
    mask = np.zeros(len(ours), bool)
    for start in range(0, len(ours), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(ours)))
        cosines = ours[block] @ theirs.T
        own = cosines[np.arange(len(block)), block]
        nearer = (cosines > own[:, None]).sum(axis=1)
        mask[block] = 2 * nearer > len(ours) - 1
    return mask


def cosines(reference: Rows, candidate: Rows) -> NDArray[np.float64]:
    """The cosine (N,) of the angle between two embeddings of each image; of two that are zero, 1."""
    theirs, ours = unit(reference), unit(candidate)
    values: NDArray[np.float64] = np.clip((theirs * ours).sum(axis=1), -1.0, 1.0)
    neither = ~(theirs.any(axis=1) | ours.any(axis=1))
    return np.where(neither, 1.0, values)


def unit(embeddings: Rows) -> NDArray[np.float64]:
    """Rows of length one; what is zero stays so."""
    wide = embeddings.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    normed: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return normed
