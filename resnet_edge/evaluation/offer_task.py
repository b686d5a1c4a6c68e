"""What the parent asks a host of its backends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class OfferedBackend:
    """What a backend opens on the machine that was asked, in one piece or not (`evaluation.job.Target`), its
    version, how many workers run artifacts side by side there, and what that machine is
    (core.machine.machine; `boot` is its boot_id)."""

    formats: tuple[str, ...]
    in_one: bool
    version: str
    workers: int
    machine: dict[str, Any]
    boot: str


@dataclass(frozen=True, kw_only=True)
class OfferBackend(Task[OfferedBackend], runs="resnet_edge.evaluation.offers:offer"):
    """evaluation.offers: a file of `backends`, and one of its devices."""

    backend: str
    device: str
