"""What the parent asks of inspection.inspect_worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InspectRequest:
    """A model file and its format."""

    path: str
    format: str
