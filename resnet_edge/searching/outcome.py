"""What came of one trial, as the study keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.search import Configuration, TrialState


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`right` has a bit for each of the first `n` images, the first image lowest: whether the answer is
    right, in hexadecimal. Latency is a ratio to the model's own fp32 file in the same run, with its 95 %
    interval. `network` and `artifact` are paths below the store's folder, and `sha256` is
    of the file. `repeats`: the trial that was the
    same, whose outcome this is."""

    number: int
    configuration: Configuration
    state: TrialState
    reason: str = ""
    n: int = 0
    right: str = ""
    sqnr_db: float | None = None
    size_bytes: int | None = None
    download_bytes: int | None = None
    macs: int | None = None
    parameters: int | None = None
    latency_ratio: float | None = None
    latency_ratio_ci95: tuple[float, float] | None = None
    network: str = ""
    artifact: str = ""
    sha256: str = ""
    seconds: float = 0.0
    repeats: int | None = None

    @property
    def bits(self) -> int:
        """`right` as a number, whose bits are counted."""
        return int(self.right or "0", 16)
