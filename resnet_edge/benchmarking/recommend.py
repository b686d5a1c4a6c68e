"""Runs in the parent. Which of the files that were timed to ship."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from resnet_edge.benchmarking.files import KERAS
from resnet_edge.core.results.bench import Recommendation, Timing, UnprovedRow, is_of_one_network
from resnet_edge.core.results.parity import Parity
from resnet_edge.schemes import baseline


def recommended(
    rows: Iterable[Timing], proofs: Sequence[Parity], size_bytes: Mapping[str, int]
) -> Recommendation | None:
    """The fastest artifact that passed its proof where it was timed, and failed none elsewhere; the smallest
    of those whose medians the interval of the fastest holds. None where no artifact was proved."""
    timed = sorted((row for row in rows if row.format not in KERAS.values()), key=lambda row: row.p50_ms)
    failed = {proof.artifact for proof in proofs if proof.verdict == "fail"}
    by_place = {(proof.artifact, proof.backend, proof.device): proof for proof in proofs}

    def proof_of(row: Timing) -> Parity | None:
        return by_place.get((row.artifact, row.backend, row.device))

    def is_proved(row: Timing) -> bool:
        proof = proof_of(row)
        return proof is not None and proof.verdict == "pass" and row.artifact not in failed

    proved = [row for row in timed if is_proved(row)]
    if not proved:
        return None
    as_fast = takewhile(lambda row: row.p50_ms <= proved[0].p50_ci95_ms[1], proved)
    best = min(as_fast, key=lambda row: (size_bytes.get(row.artifact, 0), row.p50_ms))
    proof, base = proof_of(best), _baseline(best, timed)
    assert proof is not None
    return Recommendation(
        artifact=best.artifact,
        backend=best.backend,
        device=best.device,
        p50_ms=best.p50_ms,
        size_bytes=size_bytes.get(best.artifact),
        n=proof.n,
        top1=proof.top1,
        agreement=proof.agreement,
        baseline="" if base is None else base.artifact,
        speed_up=None if base is None else base.p50_ms / best.p50_ms,
        faster=base is not None and best.p50_ci95_ms[1] < base.p50_ci95_ms[0],
        steady=best.verdict == "steady",
        unproved=tuple(
            _unproved(row, proof_of(row))
            for row in timed
            if row.p50_ci95_ms[1] < best.p50_ci95_ms[0] and not is_proved(row)
        ),
    )


def _baseline(best: Timing, timed: Sequence[Timing]) -> Timing | None:
    """The float32 file that it is compared with; `timed` has the fastest first."""
    if best.scheme == baseline():
        return None
    place = (best.format, best.backend, best.device)
    floats = [row for row in timed if row.scheme == baseline() and is_of_one_network(row, best)]
    same = (row for row in floats if (row.format, row.backend, row.device) == place)
    return next(same, floats[0] if floats else None)


def _unproved(row: Timing, proof: Parity | None) -> UnprovedRow:
    return UnprovedRow(
        artifact=row.artifact,
        backend=row.backend,
        device=row.device,
        p50_ms=row.p50_ms,
        verdict=None if proof is None else proof.verdict,
        n=0 if proof is None else proof.n,
        samples_needed=None if proof is None else proof.samples_needed,
    )
