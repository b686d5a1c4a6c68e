"""Runs in a worker. Channels as numbers, of which an addition makes two the same, and what is always
side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)

_END = -1
"""Stands before the first channel of a tensor and behind its last one."""


class ChannelIds:
    """Union-find over numbers from 0 on."""

    def __init__(self) -> None:
        self._parent: list[int] = []

    def new(self, count: int) -> Ids:
        """(count,) numbers that were not given before, in order."""
        start = len(self._parent)
        self._parent += range(start, start + count)
        return np.arange(start, start + count, dtype=np.int64)

    def union(self, ones: Ids, others: Ids) -> None:
        """Make each of `ones` the same as the one of `others` at its place."""
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            first, second = sorted((self._root(one), self._root(other)))
            self._parent[second] = first

    def roots(self, tensors: Mapping[Key, Ids]) -> dict[Key, Ids]:
        """`tensors` with the smallest number that each number is the same as."""
        known = np.array([self._root(number) for number in range(len(self._parent))], np.int64)
        return {tensor: known[ids] for tensor, ids in tensors.items()}

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = number = self._parent[self._parent[number]]
        return number


def runs(tensors: Iterable[Ids]) -> list[Ids]:
    """The longest rows of numbers of which all tensors consist: wherever one number of a row is, the others
    are beside it in the same order. In the order of their first numbers."""
    different = list({ids.tobytes(): ids for ids in tensors}.values())
    count = 1 + max(int(ids.max()) for ids in different)
    behind, before = _Neighbours(count), _Neighbours(count)
    for ids in different:
        behind.note(ids, np.append(ids[1:], _END))
        before.note(ids, np.insert(ids[:-1], 0, _END))
    following, preceding = behind.always(), before.always()
    follows = following >= 0
    follows[follows] = preceding[following[follows]] == np.flatnonzero(follows)
    inside = set(following[follows].tolist())
    return [_run(int(n), following, follows) for n in np.flatnonzero(behind.seen) if n not in inside]


def _run(number: int, following: Ids, follows: NDArray[np.bool_]) -> Ids:
    row = [number]
    while follows[row[-1]]:
        row.append(int(following[row[-1]]))
    return np.array(row, np.int64)


class _Neighbours:
    """On one side of each number."""

    def __init__(self, count: int) -> None:
        self._least = np.full(count, np.iinfo(np.int64).max, np.int64)
        self._most = np.full(count, np.iinfo(np.int64).min, np.int64)

    def note(self, ids: Ids, neighbours: Ids) -> None:
        np.minimum.at(self._least, ids, neighbours)
        np.maximum.at(self._most, ids, neighbours)

    @property
    def seen(self) -> NDArray[np.bool_]:
        return self._most >= self._least

    def always(self) -> Ids:
        """The neighbour that a number has everywhere; _END where it has no such."""
        return np.where(self._least == self._most, self._most, _END)
