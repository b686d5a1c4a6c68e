"""One artifact to make, and the targets on which it is run and proved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Where an artifact runs; in one piece where opening it again costs seconds (a browser)."""

    backend: str
    device: str
    in_one: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """One artifact to make, and where to prove it; `slow` ones begin first. In a `may_mix_precision` one,
    layers can stay in float. `channels_first`: it takes images as (N, C, H, W)."""

    format: str
    scheme: str
    suffix: str
    needs_calibration: bool
    min_sqnr_db: float | None
    targets: tuple[Target, ...]
    slow: bool = False
    may_mix_precision: bool = False
    channels_first: bool = False
