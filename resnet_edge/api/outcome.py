"""How a run ended, of what it found: the exit code of the contract, and one line where not all is well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE, EXIT_FAILED_PROOF, EXIT_INCONCLUSIVE
from resnet_edge.core.results.bench import Bench
from resnet_edge.core.results.bundle import Bundle
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.search import SearchResult
from resnet_edge.core.results.verification import Verification
from resnet_edge.golden.replay import GoldenReplay
from resnet_edge.report.few_images import few_images, unsaid
from resnet_edge.report.search_words import unproved_for
from resnet_edge.report.summary import troubles
from resnet_edge.report.verify_words import verdict


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


def bench_code(bench: Bench) -> int:
    """What could not be timed weighs most, then a figure that may not be repeatable, where that is not
    let pass."""
    if bench.failures:
        return EXIT_COULD_NOT
    return EXIT_DONE if bench.conclusive or bench.noise_accepted else EXIT_INCONCLUSIVE


def bundle_code(bundle: Bundle) -> int:
    """What could not be done weighs most, then other answers of a runtime."""
    if bundle.failures:
        return EXIT_COULD_NOT
    return EXIT_FAILED_PROOF if bundle.failed else EXIT_DONE


def golden_code(replay: GoldenReplay) -> int:
    """What could not be run weighs most; to replay nothing proves nothing."""
    if replay.passed:
        return EXIT_DONE
    ran = all(row.verdict != "not run" for row in replay.rows)
    return EXIT_FAILED_PROOF if ran and replay.rows else EXIT_COULD_NOT


def search_code(result: SearchResult) -> int:
    """A point that is shown and fails its proof weighs most. That points cannot be told from each other is an
    answer, and said with them."""
    verdicts = {point.verdict for point in result.points}
    if not verdicts:
        return EXIT_COULD_NOT
    if "fail" in verdicts:
        return EXIT_FAILED_PROOF
    return EXIT_DONE if verdicts == {"pass"} and not open_doubts(result.doubts) else EXIT_INCONCLUSIVE


def search_trouble(result: SearchResult) -> str | None:
    """Why the model is in doubt, else the first point that is not proved, a failed one before others."""
    if not result.points:
        return "no point is on the frontier: search with wider limits or more trials"
    if doubts := open_doubts(result.doubts):
        return doubts[0].sentence
    unproved = sorted((p for p in result.points if p.verdict != "pass"), key=lambda p: p.verdict != "fail")
    if not unproved:
        return None
    return f"point {unproved[0].number}: {unproved_for(unproved[0])}{_more(unproved)}"


def convert_trouble(report: Report, folder: Path) -> str | None:
    """What could not be done, else why the model is in doubt, else what did not pass, and where more is."""
    if report.failures:
        first = report.failures[0]
        return f"{first.what}: {first.message}{_more(report.failures)}; what could be made is in {folder}"
    where = f"; see {folder / 'report.html'}"
    if doubts := open_doubts(report.doubts):
        return f"{doubts[0].sentence}{where}"
    if problems := troubles(report):
        return f"{problems[0][0]}: {problems[0][1][0]}{_more(problems)}{where}"
    few = few_images(report.parity, report.max_drop_pp)
    return f"{few.rstrip('.')}{where}" if few else None


def verify_trouble(verification: Verification) -> str | None:
    """As convert_trouble."""
    if verification.failures:
        first = verification.failures[0]
        return f"{first.what}: {first.message}{_more(verification.failures)}"
    if doubts := open_doubts(verification.doubts):
        return doubts[0].sentence
    row = next(iter(unsaid(verification.parity, verification.max_drop_pp)), None)
    if row is None:
        return None if verification.passed else verdict(verification)[1].rstrip(".")
    return f"{row.artifact} on {row.backend} {row.device}: {row.reasons[0]}"


def bench_trouble(bench: Bench) -> str | None:
    """What could not be timed; a figure that does not hold has its reasons in its row."""
    if not bench.failures:
        return None
    first = bench.failures[0]
    return f"{first.artifact} on {first.backend} {first.device}: {first.message}{_more(bench.failures)}"


def bundle_trouble(bundle: Bundle, folder: Path) -> str | None:
    """What could not be done, else where a runtime gives other answers."""
    if bundle.failures:
        lost = bundle.failures[0]
        return f"{lost.what}: {lost.message}{_more(bundle.failures)}; what could be made is in {folder}"
    if not bundle.failed:
        return None
    first = bundle.failed[0]
    return f"{first.file} on {first.backend}: {first.reason}; what was made is in {folder}"


def golden_trouble(replay: GoldenReplay) -> str | None:
    """Whether other outputs came out, or none."""
    return None if replay.passed else f"{replay.golden}: not every artifact gives its golden outputs here"


def _more(rows: Sequence[object]) -> str:
    return f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
