"""Runs in the parent. What the reports of folders say of their files."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.files.documents import object_in


def hashes_reported(paths: tuple[Path, ...]) -> dict[Path, str]:
    """The SHA-256 that the report in each folder gives of each file beside it; nothing where there is
    none."""
    found = {}
    for folder in filter(Path.is_dir, paths):
        try:
            entries = object_in(folder / "report.json")["artifacts"]
            found.update({folder / str(entry["file"]): str(entry["sha256"]) for entry in entries})
        except (KeyError, TypeError):
            continue  # no report, or not one of ours: it promises nothing
    return found
