"""Runs in the parent. Where `verify` keeps outputs, so that a run that was ended goes on where it stopped."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Target
from resnet_edge.models import ModelRequest


class OutputStore:
    """Outputs by what they depend on: the bytes of the file, the runtime and its version, the bytes of the
    images, and what is done to these. Nothing else is ever taken for them."""

    def __init__(self, versions: dict[str, str], private: Path) -> None:
        """`private` is a folder of this run alone, for what another run is at work on."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self._root = Path(cache) / "resnet-edge" / "verify"
        self._versions = versions
        self._private = private
        self._used: dict[Path, IO[bytes]] = {}

    def folder(
        self, artifact: Artifact, target: Target, images: Images, preprocessing: Preprocessing | None
    ) -> Path:
        """A folder for the outputs of one proof. Raises OutputError."""
        return self._folder((artifact.sha256, target, images.sha256, preprocessing))

    def reference_folder(self, model: ModelRequest, preprocessing: Preprocessing, images: Images) -> Path:
        """The same for those of a Keras model, of which `source` is its hash. Raises OutputError."""
        return self._folder(("reference", model, preprocessing, images.sha256))

    def _folder(self, parts: Iterable[object]) -> Path:
        known = repr((*parts, sorted(self._versions.items())))
        name = hashlib.sha256(known.encode()).hexdigest()[:24]
        folder = self._root / name
        try:
            return folder if self._own(folder) else self._alone(name)
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be made ({error.strerror}): name another place with XDG_CACHE_HOME"
            ) from error

    def _own(self, folder: Path) -> bool:
        """Whether no other run is at work there. A lock holds while the process lives, however it ends."""
        while folder not in self._used:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if (folder / "lock").stat().st_ino == os.fstat(lock.fileno()).st_ino:
                    self._used[folder] = lock
                    break
            except BlockingIOError:
                lock.close()
                return False
            except FileNotFoundError:  # the run that had it has just cleared it
                pass
            lock.close()
        return True

    def _alone(self, name: str) -> Path:
        folder = self._private / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear(self) -> None:
        """Remove what this run has used: it is over."""
        for folder in self._used:
            shutil.rmtree(folder, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Leave what was kept to the next run."""
        for lock in self._used.values():
            lock.close()
        self._used.clear()
