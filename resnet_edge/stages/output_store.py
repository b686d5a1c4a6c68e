"""Runs in the parent. Where `verify` keeps outputs, so that a run that was ended goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.stages.images_request import Images
from resnet_edge.stages.plan_request import Place


class OutputStore:
    """Outputs by what they depend on: the bytes of the file, the runtime and its version, the bytes of the
    images, and what is done to these. Nothing else is ever taken for them."""

    def __init__(self, versions: dict[str, str]) -> None:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self._root = Path(cache) / "resnet-edge" / "verify"
        self._versions = versions
        self._used: list[Path] = []

    def folder(
        self, artifact: Artifact, place: Place, images: Images, preprocessing: Preprocessing | None
    ) -> Path:
        """A folder for the outputs of one proof. Raises OutputError."""
        return self._made((artifact.sha256, place, images.sha256, preprocessing))

    def _made(self, parts: Iterable[object]) -> Path:
        known = repr((*parts, sorted(self._versions.items())))
        folder = self._root / hashlib.sha256(known.encode()).hexdigest()[:24]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be made ({error.strerror}): name another place with XDG_CACHE_HOME"
            ) from error
        self._used.append(folder)
        return folder

    def clear(self) -> None:
        """Remove what this run has used: it is over."""
        for folder in self._used:
            shutil.rmtree(folder, ignore_errors=True)
