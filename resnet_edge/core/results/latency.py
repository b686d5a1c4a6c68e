"""How long one artifact takes on one backend (contract: report.json, `latency`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Percentiles in milliseconds of blocking calls, with a 95 % bootstrap interval of the
    median; `vs_fp32` is the median speed-up over the fp32 artifact of the same format on the
    same backend in the same run (None where there is none)."""

    artifact: str
    backend: str
    device: str
    threads: int
    batch: int
    n: int
    p50_ms: float
    p90_ms: float
    p50_ci95_ms: tuple[float, float]
    vs_fp32: float | None
    vs_fp32_ci95: tuple[float, float] | None = None
