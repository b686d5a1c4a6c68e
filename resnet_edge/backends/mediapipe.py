"""MediaPipe Tasks' ImageClassifier, in Python: the C++ that runs on phones, preprocessing and all.

It runs in an environment of its own (_mediapipe_environment.py), one process for each session. It takes
8-bit RGB images, at the size of the model's input so that nothing is resized, and chooses its number of
threads itself. Scores come as float32, whatever the file gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends import _mediapipe_environment, _mediapipe_files
from resnet_edge.backends._border import AGAIN, check_device
from resnet_edge.backends._program import FOLDER, Program, Refused
from resnet_edge.core.errors import ArtifactError

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})
KERNELS = "xnnpack"
SAME_SCORES = "all"
ENDS = _mediapipe_files.ENDS
FIXED_BATCH = True
FOR_PARITY_ONLY = True
RGB_ONLY = True
CALL_SECONDS = 60.0

_VERSION = _mediapipe_environment.require("mediapipe")


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[MediaPipeSession]:
    """Open a .tflite file that takes RGB images. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError
    where the environment is broken."""
    check_device("mediapipe", device, DEVICES, "in Python it is opened for the CPU")
    ends = _mediapipe_files.ends_of(path)
    environment = _mediapipe_environment.ENVIRONMENT
    command = [str(environment.program("python")), "-I", str(FOLDER / "mediapipe_tasks.py")]
    # Matplotlib, which MediaPipe imports, would write a list of fonts into the user's home.
    program = Program("MediaPipe", path, command, {"MPLCONFIGDIR": str(environment.folder / "matplotlib")})
    try:
        yield MediaPipeSession(path, program, *ends)
    finally:
        program.close()


class MediaPipeSession:
    """A classifier in another process; `labels` are its category names by output."""

    device = "cpu"

    def __init__(self, path: Path, program: Program, image: Any, scores: Any) -> None:
        self.input, self.output = image, scores
        self._path, self._program = path, program
        request = {"path": str(path.resolve()), "shape": list(image.shape[1:])}
        try:
            opened, _ = program.call(request, CALL_SECONDS)
        except Refused as refused:
            raise ArtifactError(
                f"{path} cannot be opened by MediaPipe ({_first(refused)}): {_mediapipe_files.FIX}"
            ) from refused
        self.labels: tuple[str, ...] = tuple(opened["labels"])

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        return self._run(images, 1)

    def each(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session."""
        return self._run(images, len(images))

    def _run(self, images: NDArray[Any], count: int) -> NDArray[Any]:
        pixels = _mediapipe_files.pixels(self._path, images, count, self.input)
        request = {"count": len(pixels)}
        try:
            _, data = self._program.call(request, CALL_SECONDS + len(pixels), pixels.tobytes())
        except Refused as refused:
            raise ArtifactError(f"{self._path} does not run ({_first(refused)}): {AGAIN}") from refused
        return np.frombuffer(data, np.float32).reshape(len(pixels), -1).copy()


def _first(refused: Refused) -> str:
    return str(refused).rstrip(".")
