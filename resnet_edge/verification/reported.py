"""Runs in the parent. What the reports of folders say of their files."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.results.stored_report import reported


def hashes_reported(paths: tuple[Path, ...]) -> dict[Path, str]:
    """The SHA-256 that the report in each folder gives of each file beside it; nothing where there is
    none."""
    return {
        folder / name: sha256
        for folder in filter(Path.is_dir, paths)
        for name, sha256 in reported(folder).sha256.items()
    }
