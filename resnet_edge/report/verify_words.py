"""The verdict on a `verify` run, in a word and a sentence."""

from __future__ import annotations

from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import quantile
from resnet_edge.report.blocks import Outcome
from resnet_edge.report.few_images import few_images

OUTCOMES: dict[str, Outcome] = {
    "PASSED": "passed",
    "FAILED": "failed",
    "INCONCLUSIVE": "inconclusive",
    "NOT DONE": "incomplete",
}
"""The word of a verdict, and what it is in every report."""


def _images(verification: Verification) -> str:
    """How many: all, or those that it took."""
    total, run = verification.data["n"], sorted({row.n for row in verification.parity})
    if verification.sequential is None or not run or run == [total]:
        return f"{total:,}"
    return f"{run[0]:,}" + (f" to {run[-1]:,}" if len(run) > 1 else "") + f" of {total:,}"


def verdict(verification: Verification) -> tuple[str, str]:
    """A word, and a sentence."""
    count, n = len(verification.artifacts), _images(verification)
    what = "1 artifact" if count == 1 else f"{count} artifacts"
    if verification.passed:
        return "PASSED", f"{what} verified against {verification.reference['name']}, on {n} images."
    failed = any(row.verdict == "fail" for row in verification.parity)
    gives = f"give the answers of {verification.reference['name']}"
    if verification.failures:  # as the exit code: what could not be done weighs most
        rest = f", and not all that ran {gives}" if failed else ""
        return "NOT DONE", f"Not all could be done{rest}."
    if failed:
        return "FAILED", f"Of {what}, not all {gives}."
    if open_doubts(verification.doubts):
        return "INCONCLUSIVE", "The reference itself is in doubt, and with it every proof."
    if few := few_images(verification.parity, verification.max_drop_pp, quantile(_looks(verification))):
        return "INCONCLUSIVE", f"{some} passed. {few}" if (some := _passed(verification)) else few
    return "INCONCLUSIVE", f"These {n} images do not prove it{_what_would(verification)}."


def _looks(verification: Verification) -> int:
    return 1 if verification.sequential is None else len(verification.sequential.at)


def _passed(verification: Verification) -> str:
    """`3 of 7`; empty where none did."""
    rest = {row.artifact for row in verification.parity if row.verdict != "pass"}
    passed = {row.artifact for row in verification.parity} - rest
    return f"{len(passed)} of {len(verification.artifacts)}" if passed else ""


def _what_would(verification: Verification) -> str:
    """How much is proved, and how many images would prove the rest."""
    rest = [row for row in verification.parity if row.verdict != "pass"]
    some = _passed(verification)
    needed = max((row.samples_needed or 0 for row in rest), default=0)
    parts = [f"{some} passed"] if some else []
    if needed:
        parts.append(f"about {needed:,} images would decide {'the others' if some else 'it'}")
    return f": {', '.join(parts)}" if parts else ""
