"""The environment that MediaPipe has to itself: it and tensorflow-model-optimization want different absl-py.

It is where `RESNET_EDGE_MEDIAPIPE` says, else in this environment's share/resnet-edge/mediapipe.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import sys
from pathlib import Path

from resnet_edge.core.errors import MissingDependency

REQUIREMENTS = Path(__file__).parent / "_programs/mediapipe_requirements.txt"

VARIABLE = "RESNET_EDGE_MEDIAPIPE"
LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")
"""MediaPipe is linked to them, and computes on the CPU without using them."""


def environment() -> Path:
    """Its folder, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(sys.prefix) / "share/resnet-edge/mediapipe"


def python() -> Path:
    """Its interpreter."""
    return environment() / "bin/python"


def require(backend: str) -> str:
    """The version of MediaPipe there. Raises MissingDependency, also for libraries of the system."""
    found = sorted(environment().glob("lib/python*/site-packages/mediapipe-*.dist-info"))
    if not found or not python().is_file():
        raise MissingDependency(
            f"{backend}: MediaPipe is not installed in an environment of its own: {install_command()}"
        )
    for library in LIBRARIES if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError as error:
            raise MissingDependency(
                f"{backend}: {library} is not installed: apt-get install libegl1 libgles2"
            ) from error
    return found[-1].name.removeprefix("mediapipe-").removesuffix(".dist-info")


def install_command() -> str:
    """How to make the environment where it is looked for."""
    folder = shlex.quote(str(environment()))
    # --no-deps: what stands in the file is all, and nothing newer takes its place.
    return (
        f"{shlex.quote(sys.executable)} -m venv {folder} && "
        f"{folder}/bin/python -m pip install --no-deps -r {shlex.quote(str(REQUIREMENTS))}"
    )


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
