"""The verdict on a `verify` run, in a word and a sentence."""

from __future__ import annotations

from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.verification import Verification
from resnet_edge.report.blocks import Outcome

OUTCOMES: dict[str, Outcome] = {
    "PASSED": "passed",
    "FAILED": "failed",
    "INCONCLUSIVE": "inconclusive",
    "NOT DONE": "incomplete",
}
"""The word of a verdict, and what it is in every report."""


def _images(found: Verification) -> str:
    """How many: all, or those that it took."""
    total, run = found.data["n"], sorted({row.n for row in found.parity})
    if found.sequential is None or not run or run == [total]:
        return f"{total:,}"
    return f"{run[0]:,}" + (f" to {run[-1]:,}" if len(run) > 1 else "") + f" of {total:,}"


def verdict(found: Verification) -> tuple[str, str]:
    """A word, and a sentence."""
    count, n = len(found.artifacts), _images(found)
    what = "1 artifact" if count == 1 else f"{count} artifacts"
    if found.passed:
        return "PASSED", f"{what} verified against {found.reference['name']}, on {n} images."
    failed = any(row.verdict == "fail" for row in found.parity)
    gives = f"give the answers of {found.reference['name']}"
    if found.failures:  # as the exit code: what could not be done weighs most
        rest = f", and not all that ran {gives}" if failed else ""
        return "NOT DONE", f"Not all could be done{rest}."
    if failed:
        return "FAILED", f"Of {what}, not all {gives}."
    if open_doubts(found.doubts):
        return "INCONCLUSIVE", "The reference itself is in doubt, and with it every proof."
    return "INCONCLUSIVE", f"These {n} images do not prove it."
