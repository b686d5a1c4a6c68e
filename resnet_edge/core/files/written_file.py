"""What a worker gives back that wrote a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WrittenFile:
    """The file that was written, and what a report should say of it."""

    path: str
    notes: tuple[str, ...] = ()
