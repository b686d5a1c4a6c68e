"""The report of a run: `report.json` for programs, `report.md` and `report.html` for people.

Runs in the parent: imports the standard library, msgspec and `core` alone. `rows` and
`summary` say what is to be told, `words` how a number is spelled; `contract`, `markdown` and
`html` each write one file, and `cli/_table.py` draws the same rows on a terminal.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import OutputError
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.stored_report import REPORT
from resnet_edge.report.contract import encode
from resnet_edge.report.html.convert_page import page
from resnet_edge.report.markdown import markdown


def write_reports(report: Report, folder: Path) -> None:
    """Write report.json, report.md and report.html into `folder`, which exists.

    The same report gives the same bytes. All three are composed before the first is
    written. Raises OutputError where the disk refuses.
    """
    files = {
        REPORT: encode(report),
        "report.md": markdown(report).encode(),
        "report.html": page(report).encode(),
    }
    for name, content in files.items():
        try:
            (folder / name).write_bytes(content)
        except OSError as error:
            why = error.strerror or error
            raise OutputError(
                f"{folder / name} cannot be written: {why}; free the disk or choose another folder"
            ) from error
