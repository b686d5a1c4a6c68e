"""The environment that MediaPipe has to itself: tensorflow-model-optimization wants another absl-py."""

from __future__ import annotations

import ctypes
import shlex
import sys
from pathlib import Path

from resnet_edge.core.errors import MissingDependency
from resnet_edge.workers.own_environment import OwnEnvironment

REQUIREMENTS = Path(__file__).parent / "_programs/mediapipe_requirements.txt"
ENVIRONMENT = OwnEnvironment(
    name="mediapipe",
    title="MediaPipe",
    distribution="mediapipe",
    variable="RESNET_EDGE_MEDIAPIPE",
    requirements=f"-r {shlex.quote(str(REQUIREMENTS))}",
)
LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")
"""MediaPipe is linked to them, and computes on the CPU without using them."""


def require(backend: str) -> str:
    """The version of MediaPipe there. Raises MissingDependency, also for libraries of the system."""
    version = ENVIRONMENT.require(backend)
    for library in LIBRARIES if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError as error:
            raise MissingDependency(
                f"{backend}: {library} is not installed: apt-get install libegl1 libgles2"
            ) from error
    return version


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(ENVIRONMENT.install_command() + "\n")
