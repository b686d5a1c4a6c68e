"""Runs in a worker. An unfinished training run on disk, so that it can be continued exactly.

keras.callbacks.BackupAndRestore writes the weights and the number of the epoch one after the
other: a run killed between the two continues with the weights of one epoch and the number of
another. Here a checkpoint is one file, whose name has the number, put in place by a rename.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from resnet_edge.core.atomic import write_whole
from resnet_edge.core.errors import UsageError
from resnet_edge.models._state import finalize_state
from resnet_edge.stages.unfinished import RECIPE, check_unfinished, checkpoint_folder, holds_work


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
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    write_whole(known, content)
    return folder


class Checkpoint:
    """Keeps the variables of a compiled model and its optimizer as of the last finished epoch.

    For Keras 3 and tf_keras alike, and for what tensorflow-model-optimization wraps: the
    latter's models do not come back from the files that tf_keras writes of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def restore(self, model: Any) -> int:
        """Put the last state into `model`; tells how many epochs are done."""
        done = self._done()
        if done:
            model.optimizer.build(model.trainable_variables)  # else it has no variables yet
            with np.load(self._file(done)) as arrays:
                for number, variable in enumerate(_variables(model)):
                    variable.assign(arrays[f"arr_{number}"])
            finalize_state(model)
        return done

    def save(self, model: Any, done: int) -> None:
        """Write the state of `model` after `done` epochs, then remove the state before it."""
        part = self._folder / "part.npz"
        np.savez(part, *(np.asarray(variable) for variable in _variables(model)))
        part.replace(self._file(done))
        for file in self._folder.glob("epoch-*.npz"):
            if file != self._file(done):
                file.unlink()

    def _file(self, done: int) -> Path:
        return self._folder / f"epoch-{done}.npz"

    def _done(self) -> int:
        names = (file.stem for file in self._folder.glob("epoch-*.npz"))
        return max((int(name.removeprefix("epoch-")) for name in names), default=0)


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]
