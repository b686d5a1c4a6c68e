"""From what `convert` and `verify` found to the exit code."""

from __future__ import annotations

from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE, EXIT_FAILED_PROOF, EXIT_INCONCLUSIVE
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification


def exit_code(report: Report | Verification) -> int:
    """The contract's exit code: what could not be done weighs most, then a failed proof."""
    if report.failures or not report.artifacts:
        return EXIT_COULD_NOT
    verdicts = {row.verdict for row in report.parity}
    if "fail" in verdicts:
        return EXIT_FAILED_PROOF
    if "inconclusive" in verdicts or open_doubts(report.doubts):
        return EXIT_INCONCLUSIVE
    return EXIT_DONE if report.passed else EXIT_COULD_NOT
