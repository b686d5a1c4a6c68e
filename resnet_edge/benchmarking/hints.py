"""Runs in the parent. Why an integer artifact is not faster than the float one, in words.

Read off the operators that really ran (core/results/profile.py), not off the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from resnet_edge.core.results.bench import Timing, is_of_one_network
from resnet_edge.core.results.profile import OperatorTime, Profile, short
from resnet_edge.core.roofline import Ceilings
from resnet_edge.schemes import baseline, scheme_named

WORTH = 0.1
"""A share of the time, or of the multiply-accumulates, that is worth a sentence."""
SLOWER = 1.1
SHOWN = 3
CONVERSIONS = {"QuantizeLinear", "DequantizeLinear", "QUANTIZE", "DEQUANTIZE"}
DYNAMIC = ("DynamicQuantize", "ConvInteger", "MatMulInteger", "QD8")
FLOAT_OPERATORS = {"Conv", "FusedConv", "NhwcFusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}
FASTER = 1.5
"""Times the ceiling of float32, from which on int8 could be expected to be faster."""


def hints(rows: Sequence[Timing], ceilings: Ceilings | None) -> tuple[str, ...]:
    """A sentence for each thing that holds back an integer artifact of `rows`."""
    reasons, slow = [], False
    for row in rows:
        base = _float_row(row, rows)
        if base is not None:
            slow |= not _is_faster(row, base)
            reasons += [f"{row.artifact} on {row.backend}: {reason}" for reason in _reasons(row, base)]
    return (*reasons, *(_processor(ceilings) if slow else ()))


def _float_row(row: Timing, rows: Sequence[Timing]) -> Timing | None:
    """The float32 artifact of the same network and format, timed at the same place."""
    scheme = scheme_named(row.scheme or "")
    if scheme is None or scheme.weights != "int8":
        return None
    place, base = (row.format, row.backend, row.device), baseline()
    floats = [each for each in rows if each.scheme == base and is_of_one_network(each, row)]
    return next((each for each in floats if (each.format, each.backend, each.device) == place), None)


def _is_faster(row: Timing, base: Timing) -> bool:
    return row.p50_ci95_ms[1] < base.p50_ci95_ms[0]


def _reasons(row: Timing, base: Timing) -> Iterator[str]:
    faster = _is_faster(row, base)
    if not faster:
        ratio = row.p50_ms / base.p50_ms
        yield f"not shown to be faster than {base.artifact} ({ratio:.2f} times its latency)"
    if row.profile is None:
        return
    yield from _held_back(row.profile)
    if base.profile is not None and faster:  # else all of them are
        yield from _slower_layers(row.profile, base.profile)


def _processor(ceilings: Ceilings | None) -> Iterator[str]:
    gain = None if ceilings is None else _gain(ceilings)
    if ceilings is not None and gain is not None and gain < FASTER:
        yield (
            f"this processor multiplies int8 at most {gain:.1f} times as fast as float32 "
            f"({ceilings.int8_gmacs:.0f} and {ceilings.float_gmacs:.0f} billion a second; it has no VNNI): "
            "int8 saves memory here, and not time; measure where the model will run"
        )


def _gain(ceilings: Ceilings) -> float | None:
    """The ceiling of int8 over that of float32; None where one is not known, or there are faster units."""
    if ceilings.tiles or ceilings.int8_gmacs is None or ceilings.float_gmacs is None:
        return None
    return ceilings.int8_gmacs / ceilings.float_gmacs


def _held_back(profile: Profile) -> Iterator[str]:
    converting = _share(profile, lambda operator: operator.kind in CONVERSIONS)
    if converting > WORTH:
        yield (
            f"{converting:.0%} of its time goes into quantizing and dequantizing between operators that were "
            "not fused: `resnet-edge convert MODEL --schemes int8` writes files that fuse whole"
        )
    if _share(profile, lambda operator: any(word in operator.kind for word in DYNAMIC)) > WORTH:
        yield (
            "it quantizes activations anew in every inference: `resnet-edge convert MODEL --schemes int8 "
            "--calibration IMAGES` does that once"
        )
    in_float = _mac_share(profile, lambda operator: operator.kind in FLOAT_OPERATORS)
    if in_float > WORTH:
        yield (
            f"{in_float:.0%} of its multiply-accumulates run in float between Q and DQ: they were not fused; "
            "`resnet-edge convert MODEL --schemes int8` writes files that fuse whole"
        )
    outside = _share(profile, lambda operator: bool(operator.macs) and operator.kind.isupper())
    if outside > WORTH:
        yield (
            f"{outside:.0%} of its time is spent outside of XNNPACK, which takes no int16 activations and no "
            "dynamic sizes: `resnet-edge convert MODEL --schemes int8`, without --dynamic-batch, stays inside"
        )


def _slower_layers(profile: Profile, base: Profile) -> Iterator[str]:
    """Layers that lose by being integer: few channels fill no tile of 64."""
    before = {operator.layer: operator for operator in base.operators if operator.macs}
    slower = []
    for operator in profile.operators:
        theirs = before.get(operator.layer) if operator.macs else None
        if theirs is not None and operator.microseconds > max(SLOWER * theirs.microseconds, 1.0):
            slower.append((operator.microseconds - theirs.microseconds, operator, theirs))
    lost = sum(entry[0] for entry in slower)
    if lost <= WORTH * profile.microseconds:
        return
    slower.sort(key=lambda entry: -entry[0])
    names = ", ".join(
        f"{short(ours.layer)} ({ours.microseconds:.0f} against {theirs.microseconds:.0f} µs)"
        for _, ours, theirs in slower[:SHOWN]
    )
    more = f" and {len(slower) - SHOWN} more" if len(slower) > SHOWN else ""
    yield f"layers that are slower than in float: {names}{more}"


def _share(profile: Profile, matches: Callable[[OperatorTime], bool]) -> float:
    taken = sum(operator.microseconds for operator in profile.operators if matches(operator))
    return taken / profile.microseconds if profile.microseconds else 0.0


def _mac_share(profile: Profile, matches: Callable[[OperatorTime], bool]) -> float:
    total = sum(operator.macs for operator in profile.operators)
    return sum(o.macs for o in profile.operators if matches(o)) / total if total else 0.0
