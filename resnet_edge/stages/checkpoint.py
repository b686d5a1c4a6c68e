"""Runs in a worker. An unfinished training run on disk, so that it can be continued exactly.

keras.callbacks.BackupAndRestore writes the weights and the number of the epoch one after the
other: a run killed between the two continues with the weights of one epoch and the number of
another. Here a checkpoint is one file, whose name has the number, put in place by a rename.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import msgspec

from resnet_edge.core.errors import UsageError


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


class Checkpoint(keras.callbacks.Callback):
    """Keeps weights and optimizer state of the last finished epoch in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def restore(self, model: keras.Model) -> int:
        """Put the last state into a compiled `model`; tells how many epochs are done."""
        done = self._done()
        if done:
            model.optimizer.build(model.trainable_variables)  # else its state is passed over
            model.load_weights(self._file(done))
        return done

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        part = self._folder / "part.weights.h5"
        self.model.save_weights(part, overwrite=True)
        part.replace(self._file(epoch + 1))
        self._file(epoch).unlink(missing_ok=True)

    def _file(self, done: int) -> Path:
        return self._folder / f"epoch-{done}.weights.h5"

    def _done(self) -> int:
        names = (file.name for file in self._folder.glob("epoch-*.weights.h5"))
        return max((int(name.removeprefix("epoch-").partition(".")[0]) for name in names), default=0)
