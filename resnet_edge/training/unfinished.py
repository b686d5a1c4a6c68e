"""Runs in the parent. What an unfinished training run has left beside its output."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.core.errors import OutputError, UsageError
from resnet_edge.core.files.alone import alone
from resnet_edge.core.files.atomic import is_part, sweep_parts, take_name
from resnet_edge.core.interrupts import uninterrupted
from resnet_edge.core.sidecar import sidecar_path

RECIPE = "recipe.json"
"""What decides the result of the run; it is written first, and makes the folder ours."""

FINISHED = "finished.keras"


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
    if folder.is_symlink() or not _ours(folder):
        raise OutputError(
            f"{folder} is in the way, and no run of ours made it: move it or choose another --out"
        )


@contextmanager
def training_run(out: Path) -> Iterator[None]:
    """Within, a worker may write into the checkpoint folder of the run that will become `out`, and nowhere
    else: there it leaves FINISHED and its sidecar, which get their names on leaving. What is in the folder is
    gone then; after an error or an interrupt too, unless there is work in it.

    Raises OutputError, also where another's files are in the way."""
    check_unfinished(out, resume=False)
    folder, finished, lock = checkpoint_folder(out), finished_file(out), None
    try:
        folder.mkdir(exist_ok=True)
        lock = alone(folder, out)
        sweep_parts(folder)
        for left in (finished, sidecar_path(finished)):
            left.unlink(missing_ok=True)
    except OSError as error:
        if lock is not None:
            os.close(lock)
        raise OutputError(f"{folder} cannot be written ({error.strerror}): choose another --out") from error
    try:
        yield
        _publish(finished, out)
    finally:
        if not folder.is_symlink() and _ours(folder) and not holds_work(folder):
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def finished_file(out: Path) -> Path:
    """Where a worker writes the model that will be `out`; its sidecar is beside it."""
    return checkpoint_folder(out) / FINISHED


def left_behind(out: Path) -> str:
    """What an interrupted run says of itself, once `training_run` has cleaned up."""
    folder = checkpoint_folder(out)
    if folder.is_symlink() or not _ours(folder) or not holds_work(folder):
        return "interrupted; nothing half-written is left"
    return (
        f"interrupted; {folder} keeps what is done: the same command goes on with it, and --overwrite with "
        "other options, or removing that folder, gives it up"
    )


def _publish(finished: Path, out: Path) -> None:
    try:
        with uninterrupted():
            take_name(finished, out)
            take_name(sidecar_path(finished), sidecar_path(out))
            shutil.rmtree(finished.parent, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"cannot give the finished model the name {out} ({error.strerror}): remove what is there, and "
            "run the same command again, which goes on with what is done"
        ) from error


def _ours(folder: Path) -> bool:
    """Also one in which a run was killed before it had written anything whole."""
    if not folder.is_dir():
        return False
    return (folder / RECIPE).is_file() or all(is_part(entry) for entry in folder.iterdir())
