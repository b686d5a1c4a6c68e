"""What a job of GitHub Actions shows beside a commit: one annotation for each artifact that is not proved, or
one for what kept the command from its work. None where GITHUB_ACTIONS is not set, as it is there.

Workflow commands are read from stderr as well as from stdout
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from resnet_edge.cli.terminal import say
from resnet_edge.core.printable import one_line

if TYPE_CHECKING:
    from resnet_edge.report.junit import Case

LEVELS = {"inconclusive": "warning", "skipped": "notice"}


def annotate(cases: Iterable[Case]) -> None:
    """An error, a warning or a notice for each that did not pass, with its first reason."""
    for case in cases:
        if case.outcome != "pass":
            level = LEVELS.get(case.outcome, "error")
            reason = case.reasons[0] if case.reasons else case.outcome
            _annotate(level, f"{case.group} on {case.name}", reason)


def annotate_error(message: str) -> None:
    """Why there is no result."""
    _annotate("error", "resnet-edge", one_line(message))


def _annotate(level: str, title: str, text: str) -> None:
    if os.environ.get("GITHUB_ACTIONS"):
        say(f"::{level} title={_property(title)}::{_escaped(text)}", err=True)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
