"""Runs in a worker. An unfinished training run on disk, so that it can be continued exactly.

keras.callbacks.BackupAndRestore writes the weights and the number of the epoch one after the
other: a run killed between the two continues with the weights of one epoch and the number of
another. Here a checkpoint is one file, whose name has the number, put in place by a rename.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from resnet_edge.core.errors import UsageError
from resnet_edge.models._state import finalize_state


def open_checkpoint(out: Path, stamp: dict[str, Any], resume: bool) -> Path:
    """The folder of the unfinished run that will become `out`.

    `stamp` is everything that decides what the run gives. Raises UsageError where there is
    nothing to resume, where there is and `resume` is not set, and where the stamps differ.
    """
    folder = out.with_name(f"{out.name}.checkpoint")
    known = folder / "recipe.json"
    content = msgspec.json.encode(stamp)
    if resume:
        if not known.is_file():
            raise UsageError(f"there is nothing to resume: {folder} does not exist; run without --resume")
        if known.read_bytes() != content:
            raise UsageError(
                f"{known} is of another recipe or other data: use the same options, or remove {folder}"
            )
        return folder
    if known.is_file():
        raise UsageError(
            f"{folder} holds an unfinished run: continue it with --resume, or remove that folder"
        )
    folder.mkdir(exist_ok=True)
    write(known, content)
    return folder


def write(file: Path, content: bytes) -> None:
    """Write `file` whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)


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
