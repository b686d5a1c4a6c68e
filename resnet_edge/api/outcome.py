"""How a run ended, of what it found: the exit code of the contract, and one line where not all is well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE, EXIT_FAILED_PROOF, EXIT_INCONCLUSIVE
from resnet_edge.core.results.bench import Bench
from resnet_edge.core.results.bundle import Bundle
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.golden.replay import GoldenReplay
from resnet_edge.report.summary import troubles


def proof_code(report: Report | Verification) -> int:
    """What could not be done weighs most, then a failed proof."""
    if report.failures or not report.artifacts:
        return EXIT_COULD_NOT
    verdicts = {row.verdict for row in report.parity}
    if "fail" in verdicts:
        return EXIT_FAILED_PROOF
    if "inconclusive" in verdicts or open_doubts(report.doubts):
        return EXIT_INCONCLUSIVE
    return EXIT_DONE if report.passed else EXIT_COULD_NOT


def bench_code(found: Bench) -> int:
    """What could not be timed weighs most, then a figure that may not come out so again."""
    if found.failures:
        return EXIT_COULD_NOT
    return EXIT_DONE if found.conclusive else EXIT_INCONCLUSIVE


def bundle_code(found: Bundle) -> int:
    """Whether a runtime gives other answers."""
    return EXIT_FAILED_PROOF if found.failed else EXIT_DONE


def golden_code(found: GoldenReplay) -> int:
    """What could not be run weighs most; to replay nothing proves nothing."""
    if found.passed:
        return EXIT_DONE
    ran = all(row.verdict != "not run" for row in found.rows)
    return EXIT_FAILED_PROOF if ran and found.rows else EXIT_COULD_NOT


def convert_trouble(report: Report, folder: Path) -> str | None:
    """What could not be done, else why the model is in doubt, else what did not pass, and where more is."""
    if report.failures:
        first = report.failures[0]
        return f"{first.what}: {first.message}{_more(report.failures)}; what could be made is in {folder}"
    where = f"; see {folder / 'report.html'}"
    if doubts := open_doubts(report.doubts):
        return f"{doubts[0].sentence}{where}"
    if found := troubles(report):
        return f"{found[0][0]}: {found[0][1][0]}{_more(found)}{where}"
    return None


def verify_trouble(found: Verification) -> str | None:
    """As convert_trouble."""
    if found.failures:
        return f"{found.failures[0].what}: {found.failures[0].message}{_more(found.failures)}"
    if doubts := open_doubts(found.doubts):
        return doubts[0].sentence
    row = next((row for row in found.parity if row.verdict != "pass"), None)
    return None if row is None else f"{row.artifact} on {row.backend} {row.device}: {row.reasons[0]}"


def bench_trouble(found: Bench) -> str | None:
    """What could not be timed; a figure that does not hold has its reasons in its row."""
    if not found.failures:
        return None
    first = found.failures[0]
    return f"{first.artifact} on {first.backend} {first.device}: {first.message}{_more(found.failures)}"


def bundle_trouble(found: Bundle, folder: Path) -> str | None:
    """Where a runtime gives other answers."""
    if not found.failed:
        return None
    first = found.failed[0]
    return f"{first.file} on {first.backend}: {first.reason}; what was made is in {folder}"


def golden_trouble(found: GoldenReplay) -> str | None:
    """Whether other outputs came out, or none."""
    return None if found.passed else f"{found.golden}: not every artifact gives its golden outputs here"


def _more(rows: Sequence[object]) -> str:
    return f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
