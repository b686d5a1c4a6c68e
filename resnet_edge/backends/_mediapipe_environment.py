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

PACKAGES = {
    "mediapipe": "1.2.2",
    "absl-py": "2.5.1",
    "certifi": "2026.10.19.post1",
    "cffi": "2.1.1",
    "contourpy": "1.3.3",
    "cycler": "0.12.1",
    "flatbuffers": "25.12.19",
    "fonttools": "4.68.0",
    "kiwisolver": "1.5.1",
    "matplotlib": "3.11.2",
    "numpy": "2.4.6",
    "opencv-contrib-python": "5.1.0.95",
    "packaging": "26.3",
    "pillow": "13.0.0",
    "pycparser": "3.12",
    "pyparsing": "3.3.3",
    "python-dateutil": "4.0.0",
    "sounddevice": "0.5.6",
}
"""All of it: the version that is tested."""

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
    wanted = " ".join(f"{name}=={version}" for name, version in PACKAGES.items())
    # --no-deps: what stands here is all, and nothing newer takes its place.
    return (
        f"{shlex.quote(sys.executable)} -m venv {folder} && "
        f"{folder}/bin/python -m pip install --no-deps {wanted}"
    )


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
