"""What a report says first, where the reference may be the wrong one."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.results.doubt import Doubt


def doubted(doubts: Iterable[Doubt]) -> list[str]:
    """A sentence each, with what the user said of it."""
    return [f"{doubt.sentence}{' (accepted)' if doubt.accepted else ''}" for doubt in doubts]
