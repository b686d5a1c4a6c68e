"""What a runtime really computes with, operation by operation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OperatorRun:
    """One operation as it ran. `layer` as the file names it, `precision` its dtypes
    (core/results/inspection.py), `by` whoever ran it (an execution provider, a delegate, the runtime's
    own kernels), `macs` its multiply-accumulates for one image. `integer`: whether it multiplied integers."""

    layer: str
    op: str
    precision: str
    by: str
    macs: int
    integer: bool


@dataclass(frozen=True, kw_only=True)
class OperatorCount:
    """Operations of one kind that ran in one precision, by one part of the runtime."""

    op: str
    precision: str
    by: str
    count: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How an artifact ran at one place.

    Of `macs` multiply-accumulates for one image the file states `stated_int8_macs` with both operands in
    integers, and the runtime ran `int8_macs` so. `in_float` names layers that are stated in integers and ran
    in float. `operators` is the census of what ran, the most multiply-accumulates first.
    """

    artifact: str
    backend: str
    device: str
    macs: int
    stated_int8_macs: int
    int8_macs: int
    operators: tuple[OperatorCount, ...]
    in_float: tuple[str, ...] = ()

    @property
    def missing(self) -> float:
        """The share of what the file states in integers that ran in float."""
        stated = self.stated_int8_macs
        return max(0, stated - self.int8_macs) / stated if stated else 0.0
