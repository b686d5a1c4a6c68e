"""A photo and its label in a shard, as every reader of shards gives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Record:
    """`name` is what the shard calls it. The bytes of the photo are `size` bytes from `offset` on in the
    shard, or, where the shard holds them packed, `content`. `label`: None where it has none."""

    name: str
    label: int | None
    offset: int = 0
    size: int = 0
    content: bytes | None = None
