"""One artifact to make, and the targets on which it is run and proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resnet_edge.core.backend_name import split_host


@dataclass(frozen=True)
class Target:
    """Where an artifact runs; in one piece where opening it again costs seconds (a browser). `backend` is
    what reports call it, with the host where it is not this machine."""

    backend: str
    device: str
    in_one: bool = False

    @property
    def host(self) -> str:
        """The machine; empty for this one."""
        return split_host(self.backend)[1]

    @property
    def runtime(self) -> str:
        """The file of `backends`, without the host."""
        return split_host(self.backend)[0]


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A backend on another machine, as the user named it (`word`), its version, and the formats that it opens
    there. The `machine` has cores and memory for `workers`, and `boot` tells it from others."""

    word: str
    target: Target
    formats: tuple[str, ...]
    workers: int
    version: str
    machine: dict[str, Any]
    boot: str = ""


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
