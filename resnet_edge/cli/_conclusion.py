"""The last lines of `convert`: what its images can prove at all, and what to type next."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.backend_name import option_of
from resnet_edge.core.printable import shell_word
from resnet_edge.core.proportion import drop_points, samples_needed
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.report import words
from resnet_edge.report.rows import standing_of
from resnet_edge.report.summary import labelled


def what_images_prove(report: Report) -> str | None:
    """In a sentence, by their number alone; None where nothing was proved on any."""
    n = min((row.n for row in report.parity), default=0)
    if n == 0:
        return None
    these, limit = f"These {words.count(n, 'image')}", report.max_drop_pp
    if not labelled(report):
        return f"{these} have no labels: they can prove that files answer as the model, not that it is right."
    least = drop_points(n, 0, 0).high
    if least <= limit:
        return f"{these} can prove a drop of at most {limit:g} pp, on photos like them and on no others."
    needed = samples_needed(n, 0, 0, limit / 100)
    enough = "" if needed is None else f"; {needed:,} would do"
    return (
        f"{these} cannot prove a drop of at most {limit:g} pp, even where no answer changes: "
        f"they reach {least:.1f} pp{enough}."
    )


def next_command(report: Report, folder: Path) -> str | None:
    """What it is for, and the command as it is typed here; None where the run itself has to be mended."""
    if report.failures or not report.artifacts or open_doubts(report.doubts):
        return None
    where = shell_word(f"./{folder}" if str(folder).startswith("-") else str(folder))
    standings = {standing_of(report, artifact.file) for artifact in report.artifacts}
    if report.passed:
        return f"next, the bundle for an app: resnet-edge package {where}"
    if "fail" in standings:
        return f"next, what is wrong and where: resnet-edge verify {where}{_backends(report)}"
    if "pass" in standings:
        proved_on = ",".join(dict.fromkeys(option_of(row.backend, row.device) for row in report.parity))
        return f"next, which to ship: resnet-edge bench {where} --backends {proved_on}"
    return f"next, on more images: resnet-edge verify {where} --data MORE_IMAGES"


def _backends(report: Report) -> str:
    """Where a file failed, unless `verify` looks there by itself."""
    rows = [row for row in report.parity if row.verdict == "fail"]
    places = dict.fromkeys(option_of(row.backend, row.device) for row in rows)
    return "" if places.keys() <= {*FIRST_BACKEND.values()} else f" --backends {','.join(places)}"
