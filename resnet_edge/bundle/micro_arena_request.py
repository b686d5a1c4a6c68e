"""What the parent asks of bundle.micro_arena."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArenaRequest:
    """A .tflite file."""

    path: str
