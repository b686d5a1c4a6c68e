"""The section of a page on calibration images."""

from __future__ import annotations

from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.report.html.elements import safe, section, tag
from resnet_edge.report.lint import TITLE, lint_lines, lint_summary

_TAGS = {"error": "fail", "warning": "inconclusive", "note": "reference"}


def lint_section(lint: CalibrationLint | None) -> str:
    """HTML; nothing where nothing was looked at."""
    told = lint_summary(lint)
    if not told:
        return ""
    lines = "".join(f"<li>{tag(_TAGS[how], how)} {safe(line)}</li>" for how, line in lint_lines(lint))
    return section(TITLE, f'<p class="soft">{safe(told)}</p>' + (f"<ul>{lines}</ul>" if lines else ""))
