"""Runs in a worker. An unfinished training run on disk, so that it can be continued exactly.

keras.callbacks.BackupAndRestore writes the weights and the number of the epoch one after the
other: a run killed between the two continues with the weights of one epoch and the number of
another. Here a checkpoint is one file, whose name has the number, put in place by a rename.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError, UsageError, first_line
from resnet_edge.core.files.atomic import take_name, write_whole
from resnet_edge.models._state import finalize_state
from resnet_edge.training.placement import ONE, Placement
from resnet_edge.training.unfinished import RECIPE, check_unfinished, checkpoint_folder, holds_work

BEGIN_ANEW = "remove the folder that it is in, to begin anew"


def open_checkpoint(out: Path, stamp: dict[str, Any], resume: bool, overwrite: bool = False) -> Path:
    """The folder of the unfinished run that will become `out`, which goes on where one of the same stamp
    stopped: it comes to the same weights as one that begins anew.

    `stamp` is everything that decides what the run gives. Raises UsageError where `resume` is set and there
    is nothing to resume; and where the stamps differ, unless no work is lost or `overwrite` gives it up.
    Raises OutputError where the folder is not ours.
    """
    check_unfinished(out, resume)
    folder = checkpoint_folder(out)
    known = folder / RECIPE
    content = msgspec.json.encode(stamp)
    if known.is_file():
        if known.read_bytes() == content:
            return folder
        if resume or (holds_work(folder) and not overwrite):
            raise UsageError(
                f"{folder} holds an unfinished run of another recipe or other data: go on with it by the "
                "same options, or give it up with --overwrite"
            )
        empty(folder)
    folder.mkdir(exist_ok=True)
    write_whole(known, content)
    return folder


def empty(folder: Path) -> None:
    """Remove what is in a folder, and not itself, which is not the worker's to remove. Raises OSError."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


class Checkpoint:
    """Keeps the variables of a compiled model and its optimizer as of the last finished epoch.

    For Keras 3 and tf_keras alike, and for what tensorflow-model-optimization wraps: the
    latter's models do not come back from the files that tf_keras writes of them. The file does not depend on
    the devices: of several processes the first one has it, and the others get what is in it.
    """

    def __init__(self, folder: Path, epochs: int, placement: Placement = ONE) -> None:
        """`epochs` is how many there are in the whole run."""
        self._folder, self._epochs, self._placement = folder, epochs, placement

    def restore(self, model: Any) -> int:
        """Put the last state into `model`; tells how many epochs are done. Raises DataError where that is of
        no such run, or damaged."""
        first = self._placement.writes
        (number,) = self._placement.as_in_first([np.asarray(self._done() if first else 0)])
        done = int(number)
        if done:
            model.optimizer.build(model.trainable_variables)  # else it has no variables yet
            values = (
                self._values(model, done) if first else [_array(variable) for variable in _variables(model)]
            )
            for variable, value in zip(_variables(model), self._placement.as_in_first(values), strict=True):
                variable.assign(value)
            finalize_state(model)
        return done

    def _values(self, model: Any, done: int) -> list[NDArray[Any]]:
        """What the variables of `model` were. All are looked at before the first is set."""
        path, variables = self._file(done), _variables(model)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                stored = [arrays[f"arr_{number}"] for number in range(len(variables))]
                spare = len(arrays.files) - len(stored)
        except Exception as error:  # numpy, zipfile and zlib raise whatever their parsers raise
            raise DataError(f"{path} is damaged ({first_line(error)}): {BEGIN_ANEW}") from error
        for values, variable in zip(stored, variables, strict=True):
            fits = isinstance(values, np.ndarray) and values.shape == tuple(variable.shape)
            if spare or not fits or values.dtype.kind not in "fiub" or not np.isfinite(values).all():
                raise DataError(f"{path} holds another network's state, or a damaged one: {BEGIN_ANEW}")
        return stored

    def save(self, model: Any, done: int) -> None:
        """Write the state of `model` after `done` epochs, then remove the state before it."""
        if not self._placement.writes:
            return
        part = self._folder / "part.npz"
        np.savez(part, *(_array(variable) for variable in _variables(model)))
        take_name(part, self._file(done))
        for file in self._folder.glob("epoch-*.npz"):
            if file != self._file(done):
                file.unlink()

    def _file(self, done: int) -> Path:
        return self._folder / f"epoch-{done}.npz"

    def _done(self) -> int:
        done = 0
        for file in self._folder.glob("epoch-*.npz"):
            number = file.stem.removeprefix("epoch-")
            if not re.fullmatch(r"[1-9][0-9]{0,8}", number) or int(number) > self._epochs:
                raise DataError(f"{file} is of no run of {self._epochs} epochs: {BEGIN_ANEW}")
            done = max(done, int(number))
        return done


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _array(variable: Any) -> NDArray[Any]:
    """Its value; one with a copy on each device gives none to numpy by itself."""
    return np.asarray(variable.numpy())
