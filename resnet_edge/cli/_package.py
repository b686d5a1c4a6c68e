"""What `package` prints."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.cli._grid import print_line, spelled, stdout_console
from resnet_edge.core.results.bundle import Bundle
from resnet_edge.report.bundle.bundle_summary import bundle_summary


def print_bundle(bundle: Bundle, folder: Path) -> None:
    """What is in it, what was proved where, and what to do first."""
    console = stdout_console()
    for line in bundle_summary(bundle, folder):
        print_line(console, spelled(console, line))
