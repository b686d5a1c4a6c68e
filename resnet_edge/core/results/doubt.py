"""A reason to believe that the reference is not the model that its owner thinks it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """`chance`: it is right no more often than by chance; `claim`: far less often than its history says;
    `weights`: the program that made it loaded a file that does not fit it.

    `sentence` is for people. `accepted`: the user said that it is as it should be."""

    kind: Literal["chance", "claim", "weights"]
    sentence: str
    accepted: bool = False


def open_doubts(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Those that nobody accepted: no proof passes beside them."""
    return tuple(doubt for doubt in doubts if not doubt.accepted)
