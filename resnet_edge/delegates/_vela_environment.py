"""The environment that Vela has to itself: it is a compiler of the vendor's, and brings pins of its own.

It is where `RESNET_EDGE_VELA` says, else in this environment's share/resnet-edge/vela.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from resnet_edge.core.errors import MissingDependency

VERSION = "5.2.0"
"""That is tested; flatbuffers and numpy are what it was tested with."""
PINS = (f"ethos-u-vela=={VERSION}", "flatbuffers==25.12.19", "numpy==2.4.6")
VARIABLE = "RESNET_EDGE_VELA"


def environment() -> Path:
    """Its folder, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(sys.prefix) / "share/resnet-edge/vela"


def require() -> tuple[Path, str]:
    """Vela's program and its version. Raises MissingDependency."""
    program = environment() / "bin/vela"
    found = sorted(environment().glob("lib/python*/site-packages/ethos_u_vela-*.dist-info"))
    if not found or not program.is_file():
        raise MissingDependency(
            f"ethos_u: Vela is not installed in an environment of its own: {install_command()}"
        )
    return program, found[-1].name.removeprefix("ethos_u_vela-").removesuffix(".dist-info")


def install_command() -> str:
    """How to make the environment where it is looked for."""
    folder = shlex.quote(str(environment()))
    return (
        f"{shlex.quote(sys.executable)} -m venv {folder} && "
        f"{folder}/bin/python -m pip install --no-deps {' '.join(PINS)}"
    )


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
