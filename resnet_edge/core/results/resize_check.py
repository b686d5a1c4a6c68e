"""How much the resize of a platform moves a model's answers on a user's photos, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.image_contract import ImageContract


@dataclass(frozen=True, kw_only=True)
class ResizeRow:
    """One platform's resize against that of the contract, on all photos.

    `mean_abs` and `max_abs` are of pixels, in levels of 255; `changed` counts photos whose top-1 is another
    one. With labels, `lost` counts those that only the contract gets right and `gained` those that only
    the platform does; `change_pp` is what that makes of the top-1, in percentage points, with its paired
    95 % interval (core.proportion.paired_drop, turned). `users`, `how`, `source`: data/platforms.py.
    """

    platform: str
    users: str
    how: str
    source: str
    mean_abs: float
    max_abs: int
    changed: int
    lost: int | None = None
    gained: int | None = None
    change_pp: float | None = None
    change_ci95_pp: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class ResizeCheck:
    """One model file on `n` photos from `source`, of which `resized` have another size than the model takes;
    where none has, there are no rows. `top1` is the accuracy with the contract, a fraction, None without
    labels. `unknown`: platforms that nothing is claimed about. `notes`: what was assumed."""

    file: str
    source: str
    n: int
    resized: int
    contract: ImageContract
    top1: float | None
    rows: tuple[ResizeRow, ...]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
