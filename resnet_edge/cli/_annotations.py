"""What a job of GitHub Actions shows beside a commit: one annotation for each artifact that is not proved.

Workflow commands are read from stderr as well as from stdout
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from resnet_edge.cli.terminal import say

if TYPE_CHECKING:
    from resnet_edge.report.junit import Case


def annotate(cases: Iterable[Case]) -> None:
    """Only where GITHUB_ACTIONS is set, as it is there."""
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    for case in cases:
        if case.outcome != "pass":
            level = "warning" if case.outcome == "inconclusive" else "error"
            reason = case.reasons[0] if case.reasons else case.outcome
            title = _property(f"{case.group} on {case.name}")
            say(f"::{level} title={title}::{_escaped(reason)}", err=True)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
