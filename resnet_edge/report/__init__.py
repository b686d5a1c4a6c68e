"""The report of a run: `report.json` for programs, `report.md` and `report.html` for people.

Runs in the parent: imports the standard library, msgspec and `core` alone. `rows` and
`summary` say what is to be told, `words` how a number is spelled. `convert_sections`, `verify_sections`,
`bench_sections` and `search_sections` list the sections of a report, each of typed `blocks`, which `markdown`
and `html` write; `contract` writes report.json, and `cli/_table.py` draws the same rows on a terminal.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.errors import OutputError
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.search import FRONTIER, SearchResult
from resnet_edge.core.results.stored_report import REPORT
from resnet_edge.report.blocks import Document
from resnet_edge.report.contract import encode
from resnet_edge.report.convert_sections import convert_document
from resnet_edge.report.html.page import page
from resnet_edge.report.markdown import markdown
from resnet_edge.report.readable_json import readable_json
from resnet_edge.report.search_json import search_json
from resnet_edge.report.search_sections import search_document


def write_reports(report: Report, folder: Path) -> None:
    """Write report.json, report.md and report.html into `folder`, which exists.

    The same report gives the same bytes. All three are composed before the first is
    written. Raises OutputError where the disk refuses.
    """
    _write(folder, encode(report), convert_document(report), "report.html")


def write_frontier(result: SearchResult, folder: Path) -> None:
    """The same of a search, whose page is frontier.html."""
    _write(folder, readable_json(search_json(result), indent=2), search_document(result), FRONTIER)


def _write(folder: Path, content: bytes, document: Document, page_name: str) -> None:
    files = {
        REPORT: content,
        "report.md": markdown(document).encode(),
        page_name: page(document).encode(),
    }
    for name, content in files.items():
        try:
            (folder / name).write_bytes(content)
        except OSError as error:
            why = error.strerror or error
            raise OutputError(
                f"{folder / name} cannot be written: {why}; free the disk or choose another folder"
            ) from error
