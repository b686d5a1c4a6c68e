"""Runs in the parent. What an unfinished training run has left beside its output."""

from __future__ import annotations

import shutil
from pathlib import Path

from resnet_edge.core.errors import OutputError, UsageError

RECIPE = "recipe.json"
"""What decides the result of the run; it is written first, and makes the folder ours."""


def checkpoint_folder(out: Path) -> Path:
    """Where the unfinished run that will become `out` is kept."""
    return out.with_name(f"{out.name}.checkpoint")


def holds_work(folder: Path) -> bool:
    """Whether anything in a checkpoint is worth going on with: an epoch, or a network that was chosen."""
    return (folder / "chosen.json").is_file() or any(folder.rglob("epoch-*.npz"))


def check_unfinished(out: Path, resume: bool) -> None:
    """Raise UsageError where there is nothing to resume, OutputError where another's files are in the way."""
    folder = checkpoint_folder(out)
    if resume and not (folder / RECIPE).is_file():
        raise UsageError(f"there is nothing to resume: {folder} does not exist; run without --resume")
    if not folder.is_symlink() and not folder.exists():
        return
    if folder.is_symlink() or not folder.is_dir() or (any(folder.iterdir()) and not _ours(folder)):
        raise OutputError(
            f"{folder} is in the way, and no run of ours made it: move it or choose another --out"
        )


def left_behind(out: Path) -> str:
    """What an interrupted run says of itself; a checkpoint without work in it is removed."""
    folder = checkpoint_folder(out)
    if folder.is_symlink() or not _ours(folder):
        return "interrupted; nothing half-written is left"
    if not holds_work(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return "interrupted; nothing half-written is left"
    return (
        f"interrupted; {folder} keeps what is done: the same command goes on with it, and --overwrite with "
        "other options, or removing that folder, gives it up"
    )


def _ours(folder: Path) -> bool:
    return (folder / RECIPE).is_file()
