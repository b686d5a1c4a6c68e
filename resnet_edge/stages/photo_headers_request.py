"""What the parent asks of stages/photo_headers.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HeadersRequest:
    """stages.photo_headers:look: folders of photos, as DATA names them."""

    data: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Headers:
    """How many photos there are, all of a size that is decoded."""

    photos: int
