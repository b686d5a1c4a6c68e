"""Where a trial stands: beside the model, beside the limits of the user, and for the sampler. Pure functions;
runs anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_edge.core.proportion import Z95, drop_points
from resnet_edge.searching.artifacts import SearchArtifact
from resnet_edge.searching.comparison import ComparedPoint, changes
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import SearchLimits


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The model itself: its own fp32 file, that file's latency in milliseconds, and the images, of all that
    there are, on which the Keras model is right, as bits."""

    file: SearchArtifact
    p50_ms: float
    bits: int


def point_of(outcome: Outcome) -> ComparedPoint:
    """As it is compared."""
    return ComparedPoint(
        number=outcome.number,
        n=outcome.n,
        bits=outcome.bits,
        latency=outcome.latency_ratio_ci95,
        size=outcome.size_bytes,
        download=outcome.download_bytes,
    )


def certainly_missed(outcome: Outcome, limits: SearchLimits, baseline: Baseline, z: float = Z95) -> list[str]:
    """The limits that it misses beyond chance, each in a sentence."""
    missed = []
    if limits.max_size is not None and (outcome.size_bytes or 0) > limits.max_size:
        missed.append(f"its file has {outcome.size_bytes:,} bytes, and --max-size is {limits.max_size:,}")
    if limits.max_download is not None and (outcome.download_bytes or 0) > limits.max_download:
        missed.append(
            f"its gzip has {outcome.download_bytes:,} bytes, and --max-download is {limits.max_download:,}"
        )
    if limits.max_latency_ms is not None and outcome.latency_ratio_ci95 is not None:
        least = outcome.latency_ratio_ci95[0] * baseline.p50_ms
        if least > limits.max_latency_ms:
            missed.append(f"it takes at least {least:.3g} ms, and --max-latency is {limits.max_latency_ms:g}")
    if limits.max_drop_pp is not None and outcome.n:
        drop = drop_points(outcome.n, *changes(baseline.bits, outcome.bits, outcome.n), z)
        if drop.low > limits.max_drop_pp:
            missed.append(
                f"it loses at least {drop.low:.2f} pp on {outcome.n:,} images, and --max-drop is "
                f"{limits.max_drop_pp:g}"
            )
    return missed


def values_of(outcome: Outcome, baseline: Baseline, objectives: Sequence[str]) -> tuple[float, ...] | None:
    """What Optuna hears, each to be small; None where it was not looked at so far."""
    if not outcome.n:
        return None
    lost, gained = changes(baseline.bits, outcome.bits, outcome.n)
    values = {
        "accuracy": 100 * (lost - gained) / outcome.n,
        "latency": outcome.latency_ratio,
        "size": outcome.size_bytes,
        "download": outcome.download_bytes,
    }
    chosen = [values[name] for name in objectives]
    return None if None in chosen else tuple(float(value) for value in chosen if value is not None)


def violations_of(outcome: Outcome, limits: SearchLimits, baseline: Baseline) -> dict[str, float]:
    """By how much it misses each limit that there is, at its best estimate; 0 and less: met. What is not
    known, since the trial ended before, is taken to be met."""
    drop = None
    if outcome.n:
        lost, gained = changes(baseline.bits, outcome.bits, outcome.n)
        drop = 100 * (lost - gained) / outcome.n
    known = {
        "max_drop_pp": drop,
        "max_latency_ms": outcome.latency_ratio and outcome.latency_ratio * baseline.p50_ms,
        "max_size": outcome.size_bytes,
        "max_download": outcome.download_bytes,
    }
    given = limits.given()
    return {name: 0.0 if known[name] is None else float(known[name] or 0) - given[name] for name in given}
